package transfer

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// claims are whose the unique values are that the users of a batch want: of users
// who are here, of those before in the batch, and in a dry run of all before in
// the file.
type claims struct {
	usernames, numbers map[string]uuid.UUID
	// addresses have an owner, or several who sign in with usernames.
	addresses map[string][]uuid.UUID
	seen      *seen
}

// someone stands for a user in the file whose id is not known.
var someone = uuid.Max

func (i *Importer) claims(ctx context.Context, all []*item) (*claims, error) {
	var usernames, addresses, numbers []string
	for _, it := range all {
		want := it.wantsKey
		if want.username != "" {
			usernames = append(usernames, want.username)
		} else {
			addresses = append(addresses, want.email) // only they must own it
		}
		if want.number != "" {
			numbers = append(numbers, want.number)
		}
	}
	found, err := i.Store.UserClaims(ctx, usernames, addresses, numbers)
	if err != nil {
		return nil, fmt.Errorf("look up who has these values: %w", err)
	}
	c := &claims{usernames: map[string]uuid.UUID{}, numbers: map[string]uuid.UUID{}, addresses: map[string][]uuid.UUID{}, seen: i.seen}
	for _, f := range found {
		c.usernames[f.Username] = f.ID
		c.addresses[f.Email] = append(c.addresses[f.Email], f.ID)
		c.numbers[fmt.Sprint(f.Number)] = f.ID
	}
	return c, nil
}

// take gives the values to a user, or says which is somebody else's.
func (c *claims) take(want userKeys, owner uuid.UUID) error {
	if taken(c.usernames, want.username, owner) || c.seen.has("username", want.username) {
		return &directory.ConflictError{Field: "username"}
	}
	if taken(c.numbers, want.number, owner) || c.seen.has("number", want.number) {
		return &directory.ConflictError{Field: "user_id"}
	}
	if want.username == "" && (c.shared(want.email, owner) || c.seen.has("address", want.email)) {
		return &directory.ConflictError{Field: "email_address"}
	}
	if owner == uuid.Nil {
		owner = someone
	}
	if want.username != "" {
		c.usernames[want.username] = owner
		c.seen.add("username", want.username)
	}
	if want.number != "" {
		c.numbers[want.number] = owner
		c.seen.add("number", want.number)
	}
	if want.email != "" {
		c.addresses[want.email] = append(c.addresses[want.email], owner)
		c.seen.add("address", want.email)
	}
	return nil
}

func taken(of map[string]uuid.UUID, value string, owner uuid.UUID) bool {
	id, ok := of[value]
	return value != "" && ok && id != owner
}

func (c *claims) shared(address string, owner uuid.UUID) bool {
	for _, id := range c.addresses[address] {
		if id != owner {
			return true
		}
	}
	return false
}

// seen remembers what a dry run has met, in eight bytes each: it writes nothing
// that the next batch could find. A nil one has seen nothing and learns nothing.
type seen struct {
	seed   maphash.Seed
	values map[uint64]struct{}
}

func newSeen() *seen { return &seen{seed: maphash.MakeSeed(), values: map[uint64]struct{}{}} }

func (s *seen) key(kind, value string) uint64 { return maphash.String(s.seed, kind+"\x00"+value) }

func (s *seen) add(kind, value string) {
	if s != nil {
		s.values[s.key(kind, value)] = struct{}{}
	}
}

func (s *seen) has(kind, value string) bool {
	if s == nil || value == "" {
		return false
	}
	_, ok := s.values[s.key(kind, value)]
	return ok
}
