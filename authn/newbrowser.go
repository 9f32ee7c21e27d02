package authn

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	"gatehouse/directory"
)

// newBrowserNotices are told of in a day at most: whoever clears cookies at every
// sign-in is not to get used to the mail.
const newBrowserNotices = 10

// Places tells where an address is, as far as anybody knows.
type Places interface {
	// Place is words for people, such as "Cardiff, United Kingdom", in a language or
	// else in English; "" when nothing is known of the address.
	Place(addr netip.Addr, l directory.Language) string
}

// Where is the place of an address in words; "" where nobody knows it, and for what
// is no address. It decides nothing.
func (s *Service) Where(address string, l directory.Language) string {
	addr, err := netip.ParseAddr(address)
	if err != nil || s.Places == nil {
		return ""
	}
	return s.Places.Place(addr.Unmap(), l)
}

// whereFrom tells a user where somebody is: the place and the address, or the
// address alone where nobody knows the place.
func (s *Service) whereFrom(addr netip.Addr, u *directory.User) string {
	if !addr.IsValid() {
		return ""
	}
	address := addr.Unmap().String()
	if place := s.Where(address, u.Language); place != "" {
		return place + " (" + address + ")"
	}
	return address
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
	language := cmp.Or(t.user.Language, directory.LanguageFrom(ctx)) // which the message will be in
	return s.tellWith(ctx, t.user, "new_browser", map[string]any{
		"at": language.Moment(t.at), "browser": browser, "system": system, "place": s.whereFrom(t.Network, t.user),
	})
}
