package directory

import (
	"time"

	"github.com/google/uuid"
)

// Actor is who caused a change.
type Actor struct {
	Kind string // "client", "user", "operator" or "system"
	ID   string // client id, user id, or "" for the system
}

// Event is one row of the audit trail. It is written in the transaction of the
// change it records and holds no secret, code, token, address or number.
type Event struct {
	ID      uuid.UUID
	Type    string // for example "create_user", "lock_user", "sign_in"
	Actor   Actor
	Subject string // the id of what was changed
	// Data are further keys, JSON-encodable; before and after for changes.
	Data map[string]any
	At   time.Time
}
