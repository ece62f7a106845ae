/* The tables of a lab, and the way from older ones. */
#include "sim/lab/store.h"

/* Step k leads from user_version k to k + 1. Steps are never changed, only added. */
static const char *const steps[LAB_VERSION] = {
	/* fact: single values: seed, now, rev, flags. Of the present only; the past has them in input. */
	"CREATE TABLE fact(name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
	/* input: one row per command. begun, ended: virtual nanoseconds; rev: the cluster's, at its end; status: exit status. */
	"CREATE TABLE input(nr INTEGER PRIMARY KEY, begun INTEGER NOT NULL, ended INTEGER NOT NULL, rev INTEGER NOT NULL, status INTEGER NOT NULL,"
	" argv TEXT NOT NULL, result TEXT) STRICT;"
	/* document: what a command applied, as JSON; places: lines and columns of its values. */
	"CREATE TABLE document(input INTEGER NOT NULL REFERENCES input, nr INTEGER NOT NULL, file TEXT, body TEXT NOT NULL, places BLOB,"
	" PRIMARY KEY(input, nr)) STRICT, WITHOUT ROWID;"
	/* object: as the last command left it. id: its handle; input: the command that left it so; created, deleted: virtual nanoseconds, deleted NULL while it
	 * lives; spec: a Pod's, in spec; own: its fields, as in a document; state: metadata and status, exactly; doc, places: as applied, NULL for what a
	 * controller made. */
	"CREATE TABLE object(id INTEGER PRIMARY KEY, input INTEGER NOT NULL, api TEXT NOT NULL, kind TEXT NOT NULL, ns TEXT, name TEXT NOT NULL,"
	" uid TEXT NOT NULL, life INTEGER NOT NULL, rev INTEGER NOT NULL, generation INTEGER NOT NULL, created INTEGER NOT NULL, deleted INTEGER,"
	" file TEXT, line INTEGER NOT NULL, gone INTEGER NOT NULL, spec INTEGER, own TEXT, state TEXT, doc TEXT, places BLOB) STRICT;"
	/* object_was: the same row before the command `until` changed it. */
	"CREATE TABLE object_was(id INTEGER NOT NULL, input INTEGER NOT NULL, api TEXT NOT NULL, kind TEXT NOT NULL, ns TEXT, name TEXT NOT NULL,"
	" uid TEXT NOT NULL, life INTEGER NOT NULL, rev INTEGER NOT NULL, generation INTEGER NOT NULL, created INTEGER NOT NULL, deleted INTEGER,"
	" file TEXT, line INTEGER NOT NULL, gone INTEGER NOT NULL, spec INTEGER, own TEXT, state TEXT, doc TEXT, places BLOB, until INTEGER NOT NULL) STRICT;"
	"CREATE INDEX object_was_id ON object_was(id, until);"
	/* spec: Pod specs, each once for all Pods of a template. */
	"CREATE TABLE spec(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, body TEXT NOT NULL) STRICT;"
	"CREATE INDEX spec_hash ON spec(hash);"
	/* event: in the order in which they came; object: a handle. */
	"CREATE TABLE event(nr INTEGER PRIMARY KEY, input INTEGER NOT NULL, at INTEGER NOT NULL, warning INTEGER NOT NULL, object INTEGER NOT NULL,"
	" reason TEXT, message TEXT, component TEXT) STRICT;"
	/* control: what controllers remember beyond the objects, where a command changed it. */
	"CREATE TABLE control(input INTEGER PRIMARY KEY, state TEXT NOT NULL) STRICT;",

	/* shape: what Pods have in common whom one controller made and who have come to the same state: all but name, uid, revision, node and addresses. */
	"CREATE TABLE shape(id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;"
	/* segment: texts of many objects or documents, written by one command, compressed together; size: before that. */
	"CREATE TABLE segment(id INTEGER PRIMARY KEY, input INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	/* notes: many events together, as notes.c packs them; first: the number of the first. The table event has those of older labs. */
	"CREATE TABLE notes(first INTEGER PRIMARY KEY, input INTEGER NOT NULL, nr INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	/* uid: '' where it is the one that follows from seed and name. node, ip: of a Pod with a shape; ip: its addresses and its node's. segment, at: where own, state, doc and places stand if they do not stand here. */
	"ALTER TABLE object ADD COLUMN shape INTEGER; ALTER TABLE object ADD COLUMN node TEXT; ALTER TABLE object ADD COLUMN ip BLOB;"
	"ALTER TABLE object ADD COLUMN segment INTEGER; ALTER TABLE object ADD COLUMN at INTEGER;"
	"ALTER TABLE object_was ADD COLUMN shape INTEGER; ALTER TABLE object_was ADD COLUMN node TEXT; ALTER TABLE object_was ADD COLUMN ip BLOB;"
	"ALTER TABLE object_was ADD COLUMN segment INTEGER; ALTER TABLE object_was ADD COLUMN at INTEGER;"
	"ALTER TABLE document ADD COLUMN segment INTEGER; ALTER TABLE document ADD COLUMN at INTEGER;",

	/* bundle: the objects that one command left, where they are many (bundle.c); part 0: their handles. It stands beside the table object: of both, and of other
	 * bundles, the newest counts. Shapes, and segments of objects, are those of older labs. */
	"CREATE TABLE bundle(input INTEGER NOT NULL REFERENCES input, part INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(input, part)) STRICT;",
};

static bool refuse(struct lab *lab, const char *why, struct err *err)
{
	return err_add(err, ERR_INPUT, &(struct where){ .file = lab->path }, "%s", why);
}

static bool migrate(struct lab *lab, int64_t from, struct err *err)
{
	char pragma[100];

	for (int64_t k = from; k < LAB_VERSION; k++)
		if (!store_run(lab, steps[k], "cannot make its tables", err))
			return false;
	snprintf(pragma, sizeof(pragma), "PRAGMA application_id=%d; PRAGMA user_version=%d", LAB_APPLICATION_ID, LAB_VERSION);
	return store_run(lab, pragma, "cannot make its tables", err);
}

bool schema_ready(struct lab *lab, bool may_write, struct err *err)
{
	int64_t id = store_number(lab, "PRAGMA application_id", -1), version = store_number(lab, "PRAGMA user_version", -1);
	int64_t tables = store_number(lab, "SELECT count(*) FROM sqlite_schema", -1);

	if (id < 0 || version < 0 || tables < 0)
		return store_failed(lab, "cannot be read", err);
	if (id == 0 && version == 0 && tables == 0) {
		if (!may_write)
			return refuse(lab, "holds no lab yet: podwire init makes one", err);
		return migrate(lab, 0, err);
	}
	if (id != LAB_APPLICATION_ID)
		return refuse(lab, "not a lab: it is the SQLite file of another program; --lab names another one", err);
	if (version > LAB_VERSION)
		return err_add(err, ERR_INPUT, &(struct where){ .file = lab->path },
			       "was written by a newer podwire: its format is %" PRId64 ", this one knows up to %d", version, LAB_VERSION);
	if (version == LAB_VERSION)
		return true;
	if (!may_write)
		return refuse(lab, "was written by an older podwire: a command that changes it, such as podwire advance 0s, brings it up to date", err);
	return migrate(lab, version, err);
}
