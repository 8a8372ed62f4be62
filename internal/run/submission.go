package run

import "time"

// Submission is one delivery with all runs that it makes. It is accepted whole
// or not at all.
type Submission struct {
	Delivery *Delivery
	Parts    []Part // in the order of the hook files
}

// Part is what one hook makes of a delivery.
type Part struct {
	Hook string
	Runs []Run // in the order of the elements; of each only ID, Hook, Element, Key and Depth count

	// SenderID with a Dedupe above 0 drops the part where the hook had a delivery
	// of that id within that time, and its runs wait, run or have succeeded.
	SenderID string
	Dedupe   time.Duration

	// MustAccept accepts the runs though the hook's queue is full: its sender
	// would stop calling for good.
	MustAccept bool
}

// Receipt says what became of a Submission that was accepted.
type Receipt struct {
	// DuplicateOf has an entry for each part: the id of the delivery that it
	// repeats, and then its runs were dropped; or "".
	DuplicateOf []string

	// Overfull has an entry for each part: it was accepted beyond queue.max-queued.
	Overfull []bool
}
