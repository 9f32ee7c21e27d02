package oauth

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"gatehouse/directory"
)

// subject is the sub by which a client knows a user (OpenID Connect Core
// section 8): the user's id, or for a pairwise client a random UUID that every
// client of its sector, and nobody else, is given. It is made at the first
// request and never changes, so that services cannot put their records of a
// person together, and no key that could leak tells whose it is. A provider of
// the marketplace is a sector of its own, whose subject is the cp_user_id.
func (s *Server) subject(ctx context.Context, c *Client, user uuid.UUID) (string, error) {
	if c.SubjectType != SubjectPairwise && c.Kind != KindProvider {
		return user.String(), nil
	}
	id, err := s.newID()
	if err != nil {
		return "", err
	}
	p := PairwiseSubject{Sector: c.sector(), UserID: user, Subject: id, CreatedAt: s.now()}
	if c.Kind == KindProvider {
		p.Sector, p.Company = CompanySector(c.ID), c.ID
	}
	sub, err := s.Store.PairwiseSubject(ctx, p)
	if err != nil {
		return "", err
	}
	return sub.String(), nil
}

// sub is the subject of the grant's tokens.
func (g *Grant) sub() string {
	if g.Subject != "" {
		return g.Subject
	}
	return g.UserID.String()
}

// isAbout reports whether the subject of a hint is a user, as the client of
// the authorization knows them. No user is nobody.
func (s *Server) isAbout(ctx context.Context, a *authorization, user *directory.User) (bool, error) {
	if a.hint == "" || user == nil {
		return a.hint == "", nil
	}
	sub, err := s.subject(ctx, a.client, user.ID)
	return sub == a.hint, err
}

// CompanySector is the sector that a provider of the marketplace is: no host can
// have its name.
func CompanySector(clientID string) string { return "company:" + clientID }

// sector is whose clients know a user by the same pairwise subject: the host
// of the sector identifier, or the one host of the redirect URIs; "" when the
// registration does not say (OpenID Connect Core section 8.1).
func (c *Client) sector() string {
	sector, err := sectorOf(c.SectorIdentifierURI, c.RedirectURIs)
	if err != nil {
		return ""
	}
	return sector
}

func sectorOf(identifier string, redirectURIs []string) (string, error) {
	if identifier != "" {
		redirectURIs = []string{identifier}
	}
	sector := ""
	for _, uri := range redirectURIs {
		u, err := url.Parse(uri)
		if err != nil || u.Hostname() == "" {
			return "", errors.New("a URI without a host")
		}
		host := strings.ToLower(u.Hostname())
		if sector != "" && sector != host {
			return "", errors.New("several hosts")
		}
		sector = host
	}
	if sector == "" {
		return "", errors.New("no URI")
	}
	return sector, nil
}

// validateSubject wants a sector of whoever asks for pairwise subjects. What
// the document at sector_identifier_uri lists is checked by whoever fetches it.
func (c *Client) validateSubject(f *faults) {
	const field = "subject_type"
	f.add(c.SubjectType != "" && c.SubjectType != SubjectPublic && c.SubjectType != SubjectPairwise, field, "must be public or pairwise")
	if c.SectorIdentifierURI != "" {
		u, err := url.Parse(c.SectorIdentifierURI)
		f.add(err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "",
			"sector_identifier_uri", "must be an https URI")
	}
	if c.SubjectType == SubjectPairwise {
		_, err := sectorOf(c.SectorIdentifierURI, c.RedirectURIs)
		f.add(err != nil, "sector_identifier_uri", "is needed for pairwise subjects, because the redirect URIs do not have one host")
	}
}
