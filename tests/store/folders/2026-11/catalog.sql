BEGIN TRANSACTION;
CREATE TABLE account (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	max_workflows BIGINT, 
	max_executions_per_month BIGINT, 
	max_events_per_month BIGINT, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "account" VALUES('acc_test','test',1,NULL,NULL,NULL,0);
CREATE TABLE answer (
	account TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	headers JSON NOT NULL, 
	body BLOB NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (account, "key")
);
CREATE TABLE api_key (
	id TEXT NOT NULL, 
	account TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	scopes JSON NOT NULL, 
	name TEXT NOT NULL, 
	hint TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (hash)
);
CREATE TABLE connection (
	account TEXT NOT NULL, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	integration TEXT NOT NULL, 
	is_default BOOLEAN NOT NULL, 
	settings JSON NOT NULL, 
	hints JSON NOT NULL, 
	sealed BLOB NOT NULL, 
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	last_used_at BIGINT, 
	last_test JSON, 
	PRIMARY KEY (account, id), 
	UNIQUE (account, name)
);
INSERT INTO "connection" VALUES('acc_test','con_1767225600002','shop-crm','hubspot',0,'{}','{"api_key": "\u2022\u2022\u2022\u20226789"}',X'0134454F7A5AB306FF176D778C8F4116E1F11D72095FB28992ECCCCF4B8AFE4F9A70F28B2059A528CA3473B7841F2304473C7F601CCB1B4648C74B0E7F27D5F6EA',1,1767225600000,1767225600000,NULL,NULL);
CREATE TABLE pattern (
	account TEXT NOT NULL, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	owner_id TEXT, 
	created_at BIGINT NOT NULL, 
	deleted_at BIGINT, 
	PRIMARY KEY (account, id)
);
INSERT INTO "pattern" VALUES('acc_test','pat_019b76daa8000ed6e62bc56733b7c088','greet',1,'wf_1767225600000',1767225600000,NULL);
INSERT INTO "pattern" VALUES('acc_test','pat_1767225600001','two-signups',1,NULL,1767225600000,NULL);
CREATE TABLE pattern_version (
	account TEXT NOT NULL, 
	pattern_id TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	state_version INTEGER NOT NULL, 
	workflow_id TEXT, 
	document JSON NOT NULL, 
	active BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	seen_from BIGINT, 
	PRIMARY KEY (account, pattern_id, version)
);
INSERT INTO "pattern_version" VALUES('acc_test','pat_019b76daa8000ed6e62bc56733b7c088',1,1,'wf_1767225600000','{"name": "greet", "workflow": "greet", "pattern": {"type": "event", "event": "user.signup"}}',1,1767225600000,1);
INSERT INTO "pattern_version" VALUES('acc_test','pat_1767225600001',1,1,NULL,'{"name": "two-signups", "pattern": {"type": "threshold", "event": "user.signup", "by": ["event.subject"], "value": 2, "window": "48h"}}',1,1767225600000,2);
CREATE TABLE workflow (
	account TEXT NOT NULL, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	deleted_at BIGINT, 
	PRIMARY KEY (account, id)
);
INSERT INTO "workflow" VALUES('acc_test','wf_1767225600000','greet',1,1,1767225600000,1767225600000,NULL);
CREATE TABLE workflow_version (
	account TEXT NOT NULL, 
	workflow_id TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	document JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (account, workflow_id, version)
);
INSERT INTO "workflow_version" VALUES('acc_test','wf_1767225600000',1,'{"name": "greet", "on": {"type": "event", "event": "user.signup"}, "steps": [{"id": "hello", "type": "action", "action": "note", "with": {"text": "hello"}}, {"id": "wait", "type": "delay", "for": "24h"}, {"id": "bye", "type": "action", "action": "note", "with": {"text": "bye"}}]}',1767225600000);
CREATE UNIQUE INDEX workflow_name ON workflow (account, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX pattern_name ON pattern (account, name) WHERE deleted_at IS NULL AND owner_id IS NULL;
CREATE INDEX pattern_owner ON pattern (account, owner_id);
CREATE INDEX answer_oldest ON answer (account, created_at);
COMMIT;
PRAGMA user_version = 0;
