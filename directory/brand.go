package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Brand is how an organisation shows itself on pages: its name, and what its
// e-mail branding says of it. Nothing of it was checked: it is as somebody typed it.
type Brand struct {
	Name   string // the text of the branding, else the organisation's name
	Colour string // "" for none
	Logo   string // a file's name; "" for none
	Banner bool   // the logo is made to stand on the colour
}

// BrandStore reads what an organisation shows of itself.
type BrandStore interface {
	// Brand returns ErrNotFound for an organisation that is unknown or not active.
	Brand(ctx context.Context, organisation uuid.UUID) (*Brand, error)
}

const (
	// brandFor is how long a change of a branding can go unseen.
	brandFor  = 30 * time.Second
	maxBrands = 1024
)

// Brands tells how organisations look. It remembers what it has read, since
// people pass several pages at each sign-in.
type Brands struct {
	Store BrandStore
	Clock Clock

	mu     sync.Mutex
	cached map[uuid.UUID]cachedBrand
}

type cachedBrand struct {
	brand *Brand
	until time.Time
}

// Brand is how an organisation looks, at most half a minute ago; nil for one
// that is unknown or not active. It is shared: do not change it.
func (b *Brands) Brand(ctx context.Context, organisation uuid.UUID) (*Brand, error) {
	if known, fresh := b.recall(organisation); fresh {
		return known, nil
	}
	brand, err := b.Store.Brand(ctx, organisation)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("read brand: %w", err)
	}
	b.remember(organisation, brand)
	return brand, nil
}

func (b *Brands) recall(organisation uuid.UUID) (*Brand, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known, ok := b.cached[organisation]
	return known.brand, ok && b.Clock().Before(known.until)
}

func (b *Brands) remember(organisation uuid.UUID, brand *Brand) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cached == nil || len(b.cached) >= maxBrands {
		b.cached = map[uuid.UUID]cachedBrand{}
	}
	b.cached[organisation] = cachedBrand{brand, b.Clock().Add(brandFor)}
}
