package delivery

import "math"

// container is where an object or list ends that is the value of a member, and
// the number of the first such container that starts behind it. With these,
// what a member holds is skipped at once: without them each level of nesting
// would read all that is in it again.
type container struct{ end, next uint32 }

// containerTable lists containers in the order of their starts. It grows by
// chunks: one list that grows would need twice its memory.
type containerTable struct {
	chunks [][]container
	size   uint32
}

const chunkSize = 1024

func (t *containerTable) at(number uint32) *container {
	return &t.chunks[number/chunkSize][number%chunkSize]
}

// add makes room for one more container of a text of that length, and returns
// its number.
func (t *containerTable) add(length int) uint32 {
	if t.size%chunkSize == 0 {
		// None is shorter, with the key before it, than `"":{}`.
		t.chunks = append(t.chunks, make([]container, min(chunkSize, length/len(`"":{}`)+1)))
	}
	t.size++
	return t.size - 1
}

// containers lists the containers of a text that a scanner has accepted.
func containers(text string) (t containerTable) {
	const noValue = math.MaxUint32 // of a list, or the outermost one
	var open []uint32
	afterColon := false
	for pos := 0; pos < len(text); {
		switch text[pos] {
		case '"':
			pos, afterColon = skipString(text, pos), false
			continue
		case ':':
			afterColon = true
		case '{', '[':
			number := uint32(noValue)
			if afterColon {
				number = t.add(len(text))
			}
			open = append(open, number)
			afterColon = false
		case '}', ']':
			last := len(open) - 1
			if number := open[last]; number != noValue {
				*t.at(number) = container{end: uint32(pos + 1), next: t.size}
			}
			open = open[:last]
		case ' ', '\n', '\t', '\r':
		default:
			afterColon = false
		}
		pos++
	}
	return t
}
