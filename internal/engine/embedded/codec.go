package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/pawlhq/pawl/internal/run"
)

// codec turns deliveries and what scripts print into bytes of the journal, and
// back. It may be used from several goroutines.
//
// A delivery begins with a byte that tells the form: plain or packed, and both
// again with what verified it. Then come its head, texts with their length before
// them, and its body. Bodies and output above packFrom bytes are packed with zstd
// if that makes them smaller.
type codec struct {
	pack   *zstd.Encoder
	unpack *zstd.Decoder
}

const (
	packFrom = 1 << 10 // bytes
	mostKept = 1 << 30 // bytes of one body or output: more is no sound journal's

	plain          = 1
	packed         = plain + 1
	verified       = 3 // plain, and after the headers stands what verified it
	verifiedPacked = verified + 1
)

var errUnsound = errors.New("what the journal holds of it cannot be read")

func newCodec() (*codec, error) {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("make ready to pack: %w", err)
	}
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(mostKept))
	if err != nil {
		return nil, fmt.Errorf("make ready to unpack: %w", err)
	}
	return &codec{pack, unpack}, nil
}

// delivery makes the bytes of a delivery, without its id and its credentials.
func (c *codec) delivery(d *run.Delivery) []byte {
	size := 64 + len(d.Method) + len(d.Path) + len(d.RawQuery) + len(d.Host) + len(d.RemoteAddr) + len(d.SenderID) + len(d.Origin.Of) + len(d.Verified)
	size += headerSize(d.Header)
	if len(d.Body) <= packFrom {
		size += len(d.Body)
	}
	b := make([]byte, 1, size)
	b[0] = plain
	b = binary.AppendVarint(b, nanos(d.Received))
	for _, text := range [...]string{d.Method, d.Path, d.RawQuery, d.Host, d.RemoteAddr, d.SenderID, string(d.Origin.Kind), d.Origin.Of} {
		b = appendText(b, text)
	}
	b = appendBool(b, d.Origin.Edited)
	b = appendHeader(b, d.Header)
	if d.Verified != "" {
		b[0] = verified
		b = appendText(b, d.Verified)
	}
	return c.appendBody(b, d.Body)
}

// appendBody appends a body, packed where that is worth it; then it says so in
// the first byte.
func (c *codec) appendBody(b, body []byte) []byte {
	if len(body) > packFrom {
		head := len(b)
		b = binary.AppendUvarint(b, uint64(len(body)))
		from := len(b)
		if b = c.pack.EncodeAll(body, b); len(b)-from < len(body) {
			b[0]++ // the packed form of it
			return b
		}
		b = b[:head]
	}
	return append(b, body...)
}

// readDelivery is the reverse of delivery. The delivery keeps nothing of b.
func (c *codec) readDelivery(b []byte) (*run.Delivery, error) {
	r := reader{b: b}
	form := r.byte()
	d := &run.Delivery{Received: moment(r.varint())}
	d.Method, d.Path, d.RawQuery, d.Host, d.RemoteAddr, d.SenderID = r.text(), r.text(), r.text(), r.text(), r.text(), r.text()
	d.Origin.Kind, d.Origin.Of = run.OriginKind(r.text()), r.text()
	d.Origin.Edited = r.byte() == 1
	d.Header = r.header()
	if form == verified || form == verifiedPacked {
		d.Verified = r.text()
		form -= verified - plain
	}
	switch {
	case r.broken:
	case form == plain:
		d.Body = slices.Clone(r.b)
		return d, nil
	case form == packed:
		size := r.uvarint()
		if r.broken || size > mostKept {
			break
		}
		body, err := c.unpack.DecodeAll(r.b, make([]byte, 0, min(size, 64*uint64(len(r.b))+packFrom)))
		if err != nil || uint64(len(body)) != size {
			break
		}
		d.Body = body
		return d, nil
	}
	return nil, fmt.Errorf("a stored delivery: %w", errUnsound)
}

// output makes the bytes of what a script printed. nil stays nil.
func (c *codec) output(output []byte) []byte {
	if len(output) == 0 {
		return nil
	}
	return c.appendBody([]byte{plain}, output)
}

func (c *codec) readOutput(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if b[0] == plain {
		return slices.Clone(b[1:]), nil
	}
	r := reader{b: b[1:]}
	if size := r.uvarint(); b[0] == packed && !r.broken && size <= mostKept {
		if output, err := c.unpack.DecodeAll(r.b, nil); err == nil {
			return output, nil
		}
	}
	return nil, fmt.Errorf("stored output: %w", errUnsound)
}

// credentials makes the bytes of what is kept apart of a delivery.
func credentials(c *run.Credentials) []byte {
	if c == nil {
		return nil
	}
	b := appendText([]byte{plain}, c.RawQuery)
	b = appendText(b, c.Path)
	return appendHeader(b, c.Header)
}

func readCredentials(b []byte) (*run.Credentials, error) {
	if len(b) == 0 {
		return nil, nil
	}
	r := reader{b: b[1:]}
	c := &run.Credentials{RawQuery: r.text(), Path: r.text(), Header: r.header()}
	if r.broken || b[0] != plain {
		return nil, fmt.Errorf("stored credentials: %w", errUnsound)
	}
	return c, nil
}

// origin makes the bytes of an origin; nil for that of a sender.
func origin(o run.Origin) []byte {
	if o.Kind == "" {
		return nil
	}
	return appendText(appendText(appendBool(nil, o.Edited), string(o.Kind)), o.Of)
}

func readOrigin(b []byte) run.Origin {
	if len(b) == 0 {
		return run.Origin{}
	}
	r := reader{b: b}
	return run.Origin{Edited: r.byte() == 1, Kind: run.OriginKind(r.text()), Of: r.text()}
}

// results makes the bytes of a script's results.
func results(list []run.Result) []byte {
	if len(list) == 0 {
		return nil
	}
	b := binary.AppendUvarint(nil, uint64(len(list)))
	for _, result := range list {
		b = appendText(appendText(b, result.Name), result.Value)
	}
	return b
}

func readResults(b []byte) []run.Result {
	if len(b) == 0 {
		return nil
	}
	r := reader{b: b}
	n := r.uvarint()
	var list []run.Result
	for ; n > 0 && !r.broken; n-- {
		list = append(list, run.Result{Name: r.text(), Value: r.text()})
	}
	return list
}

func headerSize(h http.Header) int {
	size := 4
	for name, values := range h {
		size += len(name) + 4
		for _, value := range values {
			size += len(value) + 2
		}
	}
	return size
}

func appendHeader(b []byte, h http.Header) []byte {
	b = binary.AppendUvarint(b, uint64(len(h)))
	for name, values := range h {
		b = binary.AppendUvarint(appendText(b, name), uint64(len(values)))
		for _, value := range values {
			b = appendText(b, value)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// reader takes values from bytes; once they are not as they should be, broken
// stays set and all further values are empty.
type reader struct {
	b      []byte
	broken bool
}

func (r *reader) fail() { r.b, r.broken = nil, true }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) header() http.Header {
	n := r.uvarint()
	if n > uint64(len(r.b)) { // each takes a byte at least
		r.fail()
		return nil
	}
	if n == 0 {
		return nil
	}
	h := make(http.Header, n)
	for ; n > 0 && !r.broken; n-- {
		name, count := r.text(), r.uvarint()
		if count > uint64(len(r.b)) {
			r.fail()
			break
		}
		values := make([]string, 0, count)
		for ; count > 0 && !r.broken; count-- {
			values = append(values, r.text())
		}
		h[name] = values
	}
	return h
}

// nanos is a time for the journal; the zero time is 0.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

// parseID gives the 16 bytes of an id.
func parseID(id string) ([]byte, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return nil, fmt.Errorf("the id %q is no UUID", id)
	}
	return u[:], nil
}

// idText is the reverse of parseID.
func idText(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	return uuid.UUID(b).String()
}
