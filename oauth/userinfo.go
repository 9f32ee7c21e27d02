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
	raw, err := userInfoToken(r)
	if err != nil {
		return err
	}
	t, user, err := s.accessTokenOfUser(r.Context(), raw)
	if err != nil {
		return bearerError(err)
	}
	if !s.forUs(t) {
		return bearerError(errAudience)
	}
	if !t.hasScope(ScopeOpenID) {
		return insufficientScope(ScopeOpenID)
	}
	return web.WriteJSON(w, http.StatusOK, userInfoOf(user, t))
}

// userInfoToken returns the token in the header, or in a POST's form
// (RFC 6750 section 2.2).
func userInfoToken(r *http.Request) (string, error) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), formType) {
		return bearerToken(r)
	}
	form, err := readForm(r)
	if err != nil {
		return "", err
	}
	inForm, inHeader := form.Has("access_token"), r.Header.Get("Authorization") != ""
	switch {
	case inForm && inHeader:
		return "", refuse("invalid_request", "The access token was sent twice")
	case inForm:
		return form.Get("access_token"), nil
	default:
		return bearerToken(r)
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
