BEGIN TRANSACTION;
CREATE TABLE account (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	time_zone TEXT DEFAULT 'UTC' NOT NULL, 
	max_workflows BIGINT, 
	max_executions_per_month BIGINT, 
	max_events_per_month BIGINT, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "account" VALUES('acc_test','test',1,'UTC',NULL,NULL,NULL,0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
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
INSERT INTO "connection" VALUES('acc_test','con_1767225600002','shop-crm','hubspot',0,'{}','{"api_key": "\u2022\u2022\u2022\u20226789"}',X'0134454F7ADF562F8D3B3D78D55A05CD66DCD620EE0D66E08EE2BF6E16430D1C55BF20A9ABE23EF95837F4660DBDD82E8115F739B1624A5EF51023D8CCE8660B45',1,1767225600000,1767225600000,NULL,NULL);
CREATE TABLE hook (
	account TEXT NOT NULL, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	document JSON NOT NULL, 
	hints JSON NOT NULL, 
	sealed BLOB NOT NULL, 
	owner_id TEXT, 
	enabled BOOLEAN NOT NULL, 
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (account, id)
);
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
CREATE TABLE schedule (
	account TEXT NOT NULL, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	document JSON NOT NULL, 
	owner_id TEXT, 
	enabled BOOLEAN NOT NULL, 
	has_own_zone BOOLEAN NOT NULL, 
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	zone TEXT NOT NULL, 
	anchor_at BIGINT NOT NULL, 
	next_at BIGINT, 
	last_at BIGINT, 
	missed INTEGER NOT NULL, 
	PRIMARY KEY (account, id)
);
CREATE TABLE secret (
	account TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	sealed BLOB, 
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (account, name)
);
CREATE TABLE variable (
	account TEXT NOT NULL, 
	name TEXT NOT NULL, 
	description TEXT NOT NULL, 
	value TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (account, name)
);
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
CREATE INDEX pattern_owner ON pattern (account, owner_id);
CREATE UNIQUE INDEX pattern_name ON pattern (account, name) WHERE deleted_at IS NULL AND owner_id IS NULL;
CREATE INDEX answer_oldest ON answer (account, created_at);
CREATE UNIQUE INDEX hook_name ON hook (account, name) WHERE owner_id IS NULL;
CREATE UNIQUE INDEX schedule_name ON schedule (account, name) WHERE owner_id IS NULL;
CREATE INDEX schedule_owner ON schedule (account, owner_id);
CREATE INDEX schedule_due ON schedule (next_at);
COMMIT;
PRAGMA user_version = 0;
