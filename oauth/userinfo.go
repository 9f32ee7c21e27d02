package oauth

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// userInfo are the claims about a user (OpenID Connect Core section 5.1).
type userInfo struct {
	Subject           string `json:"sub,omitempty"`
	Name              string `json:"name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
	Locale            string `json:"locale,omitempty"` // a BCP 47 tag
	UpdatedAt         int64  `json:"updated_at,omitempty"`
	Email             string `json:"email,omitempty"`
	EmailVerified     *bool  `json:"email_verified,omitempty"`
	PhoneNumber       string `json:"phone_number,omitempty"`
}

// UserInfo is the userinfo endpoint, for GET and POST (OpenID Connect Core section 5.3).
func (s *Server) UserInfo(w http.ResponseWriter, r *http.Request) error {
	shown, err := userInfoToken(r)
	if err != nil {
		return s.denied(shown, err)
	}
	t, user, err := s.userInfoCaller(w, r, shown)
	if err != nil {
		return s.denied(shown, err)
	}
	names, err := parseGrantedClaims(t.claims)
	if err != nil {
		return err
	}
	for _, scope := range t.scopes() {
		names.UserInfo = append(names.UserInfo, claimsOfScope[scope]...)
	}
	info := userInfoOf(user, names.UserInfo)
	info.Subject = t.Subject
	client, err := s.Clients.Get(r.Context(), t.ClientID)
	if err != nil {
		return s.denied(shown, gone(err))
	}
	return s.writeUserInfo(w, r, client, info)
}

// writeUserInfo answers in JSON, or in the signed form that the client is
// registered for (OpenID Connect Core section 5.3.2).
func (s *Server) writeUserInfo(w http.ResponseWriter, r *http.Request, client *Client, info *userInfo) error {
	if client.UserInfoAlg == "" {
		return web.WriteJSON(w, http.StatusOK, info)
	}
	signed, err := s.Keys.Sign(r.Context(), client.UserInfoAlg, TypeUserInfo, struct {
		Issuer   string `json:"iss"`
		Audience string `json:"aud"`
		*userInfo
	}{s.Issuer, client.ID, info})
	if err != nil {
		return unavailable(err)
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = io.WriteString(w, signed) // the client has gone when this fails
	return nil
}

// idTokenInfo are the claims about the user that the ID tokens of a grant hold;
// nil for none.
func (s *Server) idTokenInfo(ctx context.Context, g *Grant) (*userInfo, error) {
	names, err := parseGrantedClaims(g.Claims)
	if err != nil || len(names.IDToken) == 0 {
		return nil, err
	}
	user, _, err := s.Store.UserOfGrant(ctx, g.ID, "")
	if err != nil {
		return nil, err
	}
	return userInfoOf(user, names.IDToken), nil
}

// userInfoCaller returns the token of a request and the user it speaks for.
func (s *Server) userInfoCaller(w http.ResponseWriter, r *http.Request, shown shown) (*accessToken, *directory.User, error) {
	t, user, err := s.accessTokenOfUser(r.Context(), shown.token)
	if err != nil {
		return nil, nil, tokenError(err)
	}
	if !s.forUs(t) {
		return nil, nil, tokenError(errAudience)
	}
	if err := s.checkPossession(w, r, shown, t); err != nil {
		return nil, nil, err
	}
	if !t.hasScope(ScopeOpenID) {
		return nil, nil, insufficientScope(ScopeOpenID)
	}
	return t, user, nil
}

// userInfoToken returns the token in the header, or in a POST's form
// (RFC 6750 section 2.2).
func userInfoToken(r *http.Request) (shown, error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), formType) {
		return shownToken(r)
	}
	inHeader, errHeader := shownToken(r)
	form, err := readForm(r)
	switch {
	case err != nil:
		return inHeader, malformed(err)
	case !form.Has("access_token"):
		return inHeader, errHeader
	case r.Header.Get("Authorization") != "" || inQuery(r):
		return inHeader, errTokenTwice
	default:
		return shown{scheme: schemeBearer, token: form.Get("access_token")}, nil
	}
}

// userInfoOf are the claims of some names about a user, without the subject.
func userInfoOf(u *directory.User, names []string) *userInfo {
	info := &userInfo{}
	for _, name := range names {
		info.add(u, name)
	}
	return info
}

func (info *userInfo) add(u *directory.User, name string) {
	given, family := givenNames(u)
	switch name {
	case "name":
		info.Name = u.Name
	case "given_name":
		info.GivenName = given
	case "family_name":
		info.FamilyName = family
	case "preferred_username":
		info.PreferredUsername = u.Username
	case "locale":
		info.Locale = string(u.Language)
	case "updated_at":
		info.UpdatedAt = changedAt(u).Unix()
	case "email":
		info.Email = u.EmailAddress
	case "email_verified":
		if verified := !u.EmailAccessValidatedAt.IsZero(); u.EmailAddress != "" {
			info.EmailVerified = &verified
		}
	case "phone_number":
		info.PhoneNumber = phoneNumber(u)
	}
}

// givenNames are the parts of a name, taken from the whole where only that is known.
func givenNames(u *directory.User) (given, family string) {
	if u.FirstName == "" && u.Surname == "" {
		return directory.SplitName(u.Name)
	}
	return u.FirstName, u.Surname
}

func changedAt(u *directory.User) time.Time {
	if u.UpdatedAt.IsZero() {
		return u.CreatedAt
	}
	return u.UpdatedAt
}

// phoneNumber is the number in E.164, which OpenID Connect recommends; a number
// without an international form is left out.
func phoneNumber(u *directory.User) string {
	number, err := directory.ParseMobile(u.MobileNumber)
	if err != nil {
		return ""
	}
	return number
}
