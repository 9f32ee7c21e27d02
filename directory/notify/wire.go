package notify

import (
	"strconv"
	"time"

	"github.com/google/uuid"
)

// instant is a time as the API shows it: six decimals and Z; null when zero.
type instant time.Time

// MarshalJSON implements [encoding/json.Marshaler].
func (t instant) MarshalJSON() ([]byte, error) {
	return marshalTime(time.Time(t), "2006-01-02T15:04:05.000000Z")
}

// plainInstant is the older spelling that password_changed_at kept.
type plainInstant time.Time

// MarshalJSON implements [encoding/json.Marshaler].
func (t plainInstant) MarshalJSON() ([]byte, error) {
	return marshalTime(time.Time(t), "2006-01-02 15:04:05.000000")
}

func marshalTime(t time.Time, layout string) ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(strconv.Quote(t.UTC().Format(layout))), nil
}

// orNull is nil for the empty string, which the API shows as null.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// list is never null on the wire.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

func permissions(m map[uuid.UUID][]string) map[uuid.UUID][]string {
	all := make(map[uuid.UUID][]string, len(m))
	for id, names := range m {
		all[id] = list(names)
	}
	return all
}
