/* The tables of a lab, and the way from older ones. */
#include "sim/lab/store.h"

/* The tables of today. Inputs and what each command left are added, never changed: undo takes the last away, and the past is what stands before it. */
static const char tables[] =
	/* fact: single values. seed; flags, as the first command set them; flags:N, as command N changed them; whole,
	 * wholeBytes: the command whose end the table whole holds, and its size; rows: see below; lesson:NAME: progress.c. */
	"CREATE TABLE fact(name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;"
	/* input: one row per command. begun, ended: virtual nanoseconds; rev: the cluster's, at its end; status: exit status. */
	"CREATE TABLE input(nr INTEGER PRIMARY KEY, begun INTEGER NOT NULL, ended INTEGER NOT NULL, rev INTEGER NOT NULL, status INTEGER NOT NULL,"
	" argv TEXT NOT NULL, result TEXT) STRICT;"
	/* document: what a command applied, as JSON; places: lines and columns of its values; segment, at: where both stand if they do not stand here. */
	"CREATE TABLE document(input INTEGER NOT NULL REFERENCES input, nr INTEGER NOT NULL, file TEXT, body TEXT NOT NULL, places BLOB,"
	" segment INTEGER, at INTEGER, PRIMARY KEY(input, nr)) STRICT, WITHOUT ROWID;"
	/* segment: texts of many documents, written by one command, compressed together; size: before that. */
	"CREATE TABLE segment(id INTEGER PRIMARY KEY, input INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	/* notes: events in the order in which they came, as notes.c packs them; first: the number of the first; size: before they were compressed, 0: they are not. */
	"CREATE TABLE notes(first INTEGER PRIMARY KEY, input INTEGER NOT NULL, nr INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	/* control: what controllers remember beyond the objects, where a command changed it; a tree as record.h writes it, of older labs as JSON. */
	"CREATE TABLE control(input INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;"
	/* bundle: the objects that a command changed, as it left them (bundle.c); place: bundle_place. The newest of an object counts. */
	"CREATE TABLE bundle(place INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
	/* whole: all objects, as one command left them; so the present needs no bundle that is older. place: the part. */
	"CREATE TABLE whole(place INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;";

/* Step k leads from user_version k + 1 to k + 2. Steps are never changed, only added. */
static const char *const steps[LAB_VERSION - 1] = {
	/* From 1, which has objects in rows (rows.c). */
	"CREATE TABLE shape(id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;"
	"CREATE TABLE segment(id INTEGER PRIMARY KEY, input INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE TABLE notes(first INTEGER PRIMARY KEY, input INTEGER NOT NULL, nr INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	"ALTER TABLE object ADD COLUMN shape INTEGER; ALTER TABLE object ADD COLUMN node TEXT; ALTER TABLE object ADD COLUMN ip BLOB;"
	"ALTER TABLE object ADD COLUMN segment INTEGER; ALTER TABLE object ADD COLUMN at INTEGER;"
	"ALTER TABLE object_was ADD COLUMN shape INTEGER; ALTER TABLE object_was ADD COLUMN node TEXT; ALTER TABLE object_was ADD COLUMN ip BLOB;"
	"ALTER TABLE object_was ADD COLUMN segment INTEGER; ALTER TABLE object_was ADD COLUMN at INTEGER;"
	"ALTER TABLE document ADD COLUMN segment INTEGER; ALTER TABLE document ADD COLUMN at INTEGER;",

	"CREATE TABLE bundle(input INTEGER NOT NULL REFERENCES input, part INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(input, part)) STRICT;",

	/* From 3, where a command with few objects left rows, not a bundle. The rows stay; the fact says that there are some. */
	"CREATE TABLE whole(place INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
	"ALTER TABLE bundle RENAME TO bundle_was;"
	"CREATE TABLE bundle(place INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
	"INSERT INTO bundle SELECT input << 20 | part, body FROM bundle_was ORDER BY input, part;"
	"DROP TABLE bundle_was;"
	"ALTER TABLE control RENAME TO control_was;"
	"CREATE TABLE control(input INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;"
	"INSERT INTO control SELECT input, CAST(state AS BLOB) FROM control_was;"
	"DROP TABLE control_was;"
	"DELETE FROM fact WHERE name IN ('now', 'rev');"
	"INSERT INTO fact SELECT 'rows', 1 WHERE EXISTS(SELECT 1 FROM object) OR EXISTS(SELECT 1 FROM event);",

	/* From 4, whose notes stand one by one (notes.c). They stay. */
	"",
};

static bool refuse(struct lab *lab, const char *why, struct err *err)
{
	return err_add(err, ERR_INPUT, &(struct where){ .file = lab->path }, "%s", why);
}

/* from 0: a new file. */
static bool make(struct lab *lab, int64_t from, struct err *err)
{
	char pragma[100];

	if (!from && !store_run(lab, tables, "cannot make its tables", err))
		return false;
	for (int64_t k = from; k && k < LAB_VERSION; k++)
		if (!store_run(lab, steps[k - 1], "cannot make its tables", err))
			return false;
	snprintf(pragma, sizeof(pragma), "PRAGMA application_id=%d; PRAGMA user_version=%d", LAB_APPLICATION_ID, LAB_VERSION);
	return store_run(lab, pragma, "cannot make its tables", err);
}

bool schema_ready(struct lab *lab, bool may_write, struct err *err)
{
	int64_t id = store_number(lab, "PRAGMA application_id", -1), version = store_number(lab, "PRAGMA user_version", -1), tables_there = 1;

	if (id == 0 && version == 0)
		tables_there = store_number(lab, "SELECT count(*) FROM sqlite_schema", -1);
	if (id < 0 || version < 0 || tables_there < 0)
		return store_failed(lab, "cannot be read", err);
	if (!tables_there) {
		if (!may_write)
			return refuse(lab, "holds no lab yet: podwire init makes one", err);
		return make(lab, 0, err);
	}
	if (id != LAB_APPLICATION_ID || version < 1)
		return refuse(lab, "not a lab: it is the SQLite file of another program; --lab names another one", err);
	if (version > LAB_VERSION)
		return err_add(err, ERR_INPUT, &(struct where){ .file = lab->path },
			       "was written by a newer podwire: its format is %" PRId64 ", this one knows up to %d", version, LAB_VERSION);
	if (version == LAB_VERSION)
		return true;
	if (!may_write)
		return refuse(lab, "was written by an older podwire: a command that changes it, such as podwire advance 0s, brings it up to date", err);
	return make(lab, version, err);
}
