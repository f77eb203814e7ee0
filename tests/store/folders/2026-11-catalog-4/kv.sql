BEGIN TRANSACTION;
CREATE TABLE entry (
    account TEXT NOT NULL,
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    value BLOB NOT NULL,
    PRIMARY KEY (account, namespace, key)
);
INSERT INTO "entry" VALUES('acc_test','state','seen',1,1767225600000,NULL,X'7B226E223A317D');
CREATE TABLE once (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    result BLOB NOT NULL,
    PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE INDEX entry_expiring ON entry (account, expires_at)
    WHERE expires_at IS NOT NULL;
CREATE INDEX once_oldest ON once (account, created_at);
COMMIT;
PRAGMA user_version = 1;
