package embedded

// The statements of the journal, all of them, by what they are about. The tests
// look at the plans of those that must be quick.

const (
	probe   = `UPDATE counter SET value = value + 1 WHERE name = 'probe'`
	getNext = `SELECT max(ifnull((SELECT value FROM counter WHERE name = 'next'), 1),
		ifnull((SELECT max(seq) FROM run), 0) + 1, ifnull((SELECT max(seq + made) FROM (SELECT seq, made FROM delivery ORDER BY seq DESC LIMIT 1)), 1))`
	setNext = `INSERT INTO counter (name, value) VALUES ('next', ?) ON CONFLICT DO UPDATE SET value = excluded.value`
	mkProbe = `INSERT OR IGNORE INTO counter (name, value) VALUES ('probe', 0)`
)

// Hooks.
const (
	allHooks   = `SELECT id, name, paused, failures, bytes, artifacts FROM hook`
	insertHook = `INSERT INTO hook (name) VALUES (?)`
	updateHook = `UPDATE hook SET paused = ?, failures = ?, bytes = ?, artifacts = ? WHERE id = ?`
	counts     = `SELECT phase, hook, count(*) FROM run GROUP BY phase, hook`
)

// Accepting.
const (
	insertDelivery = `INSERT INTO delivery (seq, id, made, runs, secrets, content) VALUES (?, ?, ?, ?, ?, ?)`
	insertRun      = `INSERT INTO run (seq, id, hook, delivery, phase, place, key, element, accepted, flags, depth, origin, size, due, rested, attempt, started)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	getSeen    = `SELECT at, id, delivery, made FROM seen WHERE hook = ? AND sender = ?`
	setSeen    = `INSERT OR REPLACE INTO seen (hook, sender, at, until, id, delivery, made) VALUES (?, ?, ?, ?, ?, ?, ?)`
	spoilt     = `SELECT 1 FROM run WHERE seq >= ? AND seq < ? AND hook = ? AND phase IN (6, 7) LIMIT 1`
	forgetSeen = `DELETE FROM seen WHERE (hook, sender) IN (SELECT hook, sender FROM seen WHERE until < ? LIMIT 200)`
)

// ticketColumns are those that readTicket reads.
const ticketColumns = `run.seq, run.place, run.id, run.hook, run.delivery, run.key, run.element, run.accepted, run.flags, run.depth,
	run.attempt, run.tries, run.interruptions, run.size, run.phase, run.rested`

// Waiting and starting.
const (
	ticketByID  = `SELECT ` + ticketColumns + ` FROM run WHERE id = ?`
	ticketBySeq = `SELECT ` + ticketColumns + ` FROM run WHERE seq = ?`

	// A body above 16 KiB is read when its run starts.
	fillWindow = `SELECT ` + ticketColumns + `, delivery.id, CASE WHEN length(delivery.content) <= 16384 THEN delivery.content END
		FROM run CROSS JOIN delivery ON delivery.seq = run.delivery
		WHERE run.phase = 0 AND run.hook = ? ORDER BY run.place LIMIT ?`

	keyOpen     = `SELECT 1 FROM run INDEXED BY run_line WHERE hook = ? AND key = ? AND key IS NOT NULL AND phase < 5 AND place < ? LIMIT 1`
	keyHead     = `SELECT ` + ticketColumns + ` FROM run INDEXED BY run_line WHERE hook = ? AND key = ? AND key IS NOT NULL AND phase < 5 ORDER BY place LIMIT 1`
	keyWaits    = `SELECT ` + ticketColumns + ` FROM run INDEXED BY run_line WHERE hook = ? AND key = ? AND key IS NOT NULL AND phase < 5 AND phase < 4 ORDER BY place LIMIT 512`
	hookRunning = `SELECT ` + ticketColumns + ` FROM run WHERE phase = ?`
	startOf     = `SELECT started FROM run WHERE seq = ?`
	hookWaits   = `SELECT ` + ticketColumns + ` FROM run WHERE phase = ? AND hook = ? ORDER BY seq LIMIT ?`

	dueRuns = `SELECT ` + ticketColumns + ` FROM run WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT 256`
	nextDue = `SELECT min(due) FROM run WHERE due IS NOT NULL`
	capDue  = `UPDATE run SET due = ? WHERE due IS NOT NULL AND due > ? AND hook = ?`

	makeReady    = `UPDATE run SET phase = 0, due = NULL WHERE seq = ?`
	makeBlocked  = `UPDATE run SET phase = 1, due = NULL WHERE seq = ?`
	startFirst   = `UPDATE run SET phase = 4, due = NULL, attempt = 1, started = ?, why = '' WHERE seq = ?`
	startFurther = `UPDATE run SET phase = 4, due = NULL, attempt = attempt + 1, started = ?, why = '', finished = 0, finish = 0, exit = 0,
		signal = '', reason = '', hash = '', artifacts = 0, head = 0, omitted = 0, printed = 0, results = NULL, output = NULL WHERE seq = ?`
	keepAttempt = `INSERT OR REPLACE INTO attempt (run, number, started, finished, finish, exit, signal, reason, hash, artifacts, head, omitted, printed, results, output)
		SELECT seq, attempt, started, finished, finish, exit, signal, reason, hash, artifacts, head, omitted, printed, results, output FROM run WHERE seq = ?`

	expirable = `SELECT seq, accepted, max(accepted, finished), flags, attempt FROM run WHERE phase = ? AND hook = ? ORDER BY seq LIMIT 1000`
)

// Ending.
const (
	endAttempt = `UPDATE run SET phase = ?, place = ?, due = ?, tries = ?, interruptions = ?, ended = ?, why = ?, started = ?, finished = ?, finish = ?, exit = ?,
		signal = ?, reason = ?, hash = ?, artifacts = ?, head = ?, omitted = ?, printed = ?, results = ?, output = ?, size = size + ?
		WHERE seq = ? AND phase = 4 AND attempt = ?`
	endWaiting    = `UPDATE run SET phase = ?, place = seq, due = NULL, ended = ?, why = ?, superseded = ? WHERE seq = ?`
	markCancelled = `UPDATE run SET flags = flags | 2 WHERE seq = ?`
	putAgain      = `UPDATE run SET phase = ?, place = ?, due = NULL, flags = ?, tries = 0, interruptions = 0, ended = 0, why = '', superseded = NULL WHERE seq = ?`
	endWait       = `UPDATE run SET phase = 0, due = NULL, tries = 0, flags = flags | 1 WHERE seq = ?`

	openOfDelivery = `SELECT 1 FROM run WHERE seq >= ? AND seq < ? + (SELECT made FROM delivery WHERE seq = ?) AND phase < 5 LIMIT 1`
	dropSecrets    = `UPDATE delivery SET secrets = NULL WHERE seq = ?`
)

// Reading.
const (
	recordColumns = `run.seq, run.id, run.hook, run.key, run.element, run.accepted, run.flags, run.depth, run.origin, run.phase, run.due, run.attempt,
		run.interruptions, run.superseded, run.ended, run.why, run.started, run.finished, run.finish, run.exit, run.signal, run.reason,
		run.hash, run.artifacts, run.head, run.omitted, run.printed, run.results, delivery.id, hook.name`
	recordFrom = ` FROM run CROSS JOIN delivery ON delivery.seq = run.delivery CROSS JOIN hook ON hook.id = run.hook `

	recordByID   = `SELECT ` + recordColumns + recordFrom + `WHERE run.id = ?`
	recordBySeq  = `SELECT ` + recordColumns + recordFrom + `WHERE run.seq = ?`
	idsFrom      = `SELECT id FROM run WHERE id >= ? AND id <= ? ORDER BY id LIMIT 5`
	olderEnds    = `SELECT number, started, finished, finish, exit, signal, reason, hash, artifacts, head, omitted, printed, results FROM attempt WHERE run = ? ORDER BY number`
	outputNewest = `SELECT output, head, omitted, phase FROM run WHERE seq = ?`
	outputOlder  = `SELECT output, head, omitted FROM attempt WHERE run = ? AND number = ?`
	deliveryByID = `SELECT content, secrets FROM delivery WHERE id = ?`
	deliveryOf   = `SELECT content, secrets, id FROM delivery WHERE seq = ?`
	hookID       = `SELECT id FROM hook WHERE name = ?`
	hookName     = `SELECT name FROM hook WHERE id = ?`
	behindRun    = `SELECT id FROM run INDEXED BY run_line WHERE hook = ? AND key = ? AND key IS NOT NULL AND phase < 5 AND place < ? ORDER BY place DESC LIMIT 1`
	idsOfPhase   = `SELECT id FROM run WHERE phase = ?`
	isKnown      = `SELECT 1 FROM run WHERE id = ? LIMIT 1`
	newestRun    = `SELECT ifnull((SELECT seq FROM run ORDER BY seq DESC LIMIT 1), 0)`

	// Streams of lists, each the sequences that one index gives, the newest first.
	listAll          = `SELECT seq FROM run WHERE seq >= ? AND seq <= ? ORDER BY seq DESC LIMIT ?`
	listPhase        = `SELECT seq FROM run WHERE phase >= 5 AND phase = ? AND seq >= ? AND seq <= ? ORDER BY seq DESC LIMIT ?`
	listPhaseHook    = `SELECT seq FROM run WHERE phase = ? AND hook = ? AND seq >= ? AND seq <= ? ORDER BY seq DESC LIMIT ?`
	listPhaseHookKey = `SELECT seq FROM run WHERE key = ? AND key IS NOT NULL AND hook = ? AND phase = ? AND seq >= ? AND seq <= ? ORDER BY seq DESC LIMIT ?`
	hooksOfKey       = `SELECT min(hook) FROM run WHERE key = ? AND key IS NOT NULL AND hook > ?`
	hooksOfPhase     = `SELECT min(hook) FROM run WHERE phase = ? AND hook > ?`
	acceptedFrom     = `SELECT seq, accepted FROM run WHERE seq >= ? ORDER BY seq LIMIT 1`
	bounds           = `SELECT ifnull((SELECT seq FROM run ORDER BY seq LIMIT 1), 0), ifnull((SELECT seq FROM run ORDER BY seq DESC LIMIT 1), 0)`
)

// Forgetting.
const (
	oldestOf     = `SELECT seq, ended FROM run WHERE phase = ? AND hook = ? ORDER BY seq LIMIT ?`
	oldestEnded  = `SELECT seq, hook FROM run WHERE phase >= 5 AND phase = ? ORDER BY seq LIMIT ?`
	forgetRun    = `DELETE FROM run WHERE seq = ? RETURNING id, hook, delivery, attempt, size, artifacts, phase, flags`
	unsee        = `DELETE FROM seen WHERE delivery = ? AND hook = ?`
	forgetOld    = `DELETE FROM attempt WHERE run = ? RETURNING artifacts`
	lessRuns     = `UPDATE delivery SET runs = runs - 1 WHERE seq = ? RETURNING runs`
	forgetRecord = `DELETE FROM delivery WHERE seq = ?`
	newestStarts = `SELECT started FROM run WHERE phase = ? AND hook = ? ORDER BY seq DESC LIMIT ?`
)
