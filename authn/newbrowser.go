package authn

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// newBrowserNotices are told of in a day at most: whoever clears cookies at every
// sign-in is not to get used to the mail.
const newBrowserNotices = 10

// Places tells where an address is, as far as anybody knows.
type Places interface {
	// Place is words for people, such as "Cardiff, United Kingdom"; "" when nothing
	// is known of the address.
	Place(addr netip.Addr) string
}

// place says where somebody is: the place of their address, or the address itself
// where nobody knows it.
func (s *Service) place(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	addr = addr.Unmap()
	if s.Places != nil {
		if place := s.Places.Place(addr); place != "" {
			return place
		}
	}
	return addr.String()
}

// tellNewBrowser tells the owner of an account that it was signed in to from a
// browser which was not known, in the transaction of the sign-in.
func (t *trial) tellNewBrowser(ctx context.Context) error {
	s := t.service
	lately, err := s.Store.BrowsersSince(ctx, t.user.ID, t.at.Add(-24*time.Hour))
	if err != nil {
		return fmt.Errorf("count new browsers: %w", err)
	}
	if lately > newBrowserNotices {
		return nil
	}
	browser, system := Device(t.UserAgent)
	return s.tellWith(ctx, t.user, "new_browser", map[string]any{
		// Figures alone: they are the same in every language.
		"at": t.at.UTC().Format("2006-01-02 15:04 UTC"), "browser": browser, "system": system, "place": s.place(t.Network),
	})
}
