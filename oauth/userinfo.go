package oauth

import (
	"net/http"
	"strings"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

// userInfo are the claims about a user (OpenID Connect Core section 5.1).
type userInfo struct {
	Subject           string `json:"sub"`
	Name              string `json:"name,omitempty"`
	GivenName         string `json:"given_name,omitempty"`
	FamilyName        string `json:"family_name,omitempty"`
	PreferredUsername string `json:"preferred_username,omitempty"`
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
	return web.WriteJSON(w, http.StatusOK, userInfoOf(user, t))
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
	form, err := readForm(r)
	if err != nil {
		return shown{}, err
	}
	inForm, inHeader := form.Has("access_token"), r.Header.Get("Authorization") != ""
	switch {
	case inForm && inHeader:
		return shown{}, refuse("invalid_request", "The access token was sent twice")
	case inForm:
		return shown{scheme: schemeBearer, token: form.Get("access_token")}, nil
	default:
		return shownToken(r)
	}
}

func userInfoOf(u *directory.User, t *accessToken) *userInfo {
	info := &userInfo{Subject: t.Subject}
	for _, scope := range t.scopes() {
		switch scope {
		case ScopeProfile:
			info.addProfile(u)
		case ScopeEmail:
			info.addEmail(u)
		case ScopePhone:
			info.PhoneNumber = phoneNumber(u)
		}
	}
	return info
}

func (info *userInfo) addProfile(u *directory.User) {
	info.Name, info.GivenName, info.FamilyName = u.Name, u.FirstName, u.Surname
	if info.GivenName == "" && info.FamilyName == "" {
		info.GivenName, info.FamilyName = directory.SplitName(u.Name)
	}
	info.PreferredUsername = u.Username
	changed := u.UpdatedAt
	if changed.IsZero() {
		changed = u.CreatedAt
	}
	info.UpdatedAt = changed.Unix()
}

func (info *userInfo) addEmail(u *directory.User) {
	if u.EmailAddress == "" {
		return
	}
	verified := !u.EmailAccessValidatedAt.IsZero()
	info.Email, info.EmailVerified = u.EmailAddress, &verified
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
