package server

// The headers in which an answer says what it is an answer to, for those who
// call Pawl.
const (
	DeliveryHeader  = deliveryHeader
	RunHeader       = runHeader
	RunsHeader      = runsHeader
	DuplicateHeader = duplicateHeader
)
