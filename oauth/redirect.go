package oauth

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// MatchRedirect reports whether a redirect URI in a request is a registered
// one: the same string, except that the port of an http URI whose host is a
// loopback IP literal is the application's to choose (RFC 9700 section 4.1.3,
// RFC 8252 section 7.3). Nothing is decoded or normalised.
func MatchRedirect(registered []string, given string) bool {
	if slices.Contains(registered, given) {
		return true
	}
	host, rest, ok := cutLoopback(given)
	return ok && slices.ContainsFunc(registered, func(uri string) bool {
		h, r, ok := cutLoopback(uri)
		return ok && h == host && r == rest
	})
}

// cutLoopback splits an http URI on a loopback IP literal around its port.
func cutLoopback(uri string) (host, rest string, ok bool) {
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		after, found := strings.CutPrefix(uri, "http://"+host)
		if !found {
			continue
		}
		if strings.HasPrefix(after, ":") {
			end := strings.IndexAny(after, "/?")
			if end < 0 {
				end = len(after)
			}
			if !validPort(after[1:end]) {
				return "", "", false
			}
			after = after[end:]
		}
		// Anything else here would continue the host, as in 127.0.0.1.evil.example.
		if after != "" && after[0] != '/' && after[0] != '?' {
			return "", "", false
		}
		return host, after, true
	}
	return "", "", false
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == port
}

// maxRedirectURI is the longest URI that is registered, in bytes.
const maxRedirectURI = 2048

// redirectFault says why a redirect URI cannot be registered; "" when it can.
// It can be https, http on the loopback, or a scheme of an application's own,
// which contains a dot (RFC 8252 section 7).
func redirectFault(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case len(uri) > maxRedirectURI:
		return "is too long"
	case strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }):
		return "contains a character that must be encoded"
	case err != nil || u.Scheme == "":
		return "is not an absolute URI"
	case strings.Contains(uri, "#"):
		return "has a fragment"
	case u.User != nil:
		return "has user information"
	case u.Port() != "" && !validPort(u.Port()), strings.HasSuffix(u.Host, ":"):
		return "has no valid port"
	}
	switch {
	case u.Scheme == "https" && u.Hostname() != "", u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	case u.Scheme == "https" || u.Scheme == "http":
		return "must be https, or http on the loopback"
	case !strings.Contains(u.Scheme, "."):
		return "has a scheme without a dot"
	case u.Host != "" || strings.Contains(uri, "://"):
		return "has a scheme of its own followed by a host"
	}
	return ""
}

// webFault says why a URI cannot be one that people or this server are led to;
// "" when it can. For back-channel logout see section 2.2 of its specification.
func webFault(uri string) string {
	if fault := redirectFault(uri); fault != "" {
		return fault
	}
	if !strings.HasPrefix(uri, "http://") && !strings.HasPrefix(uri, "https://") {
		return "must be https, or http on the loopback"
	}
	return ""
}

func isLoopback(host string) bool {
	return host == "127.0.0.1" || host == "::1" || host == "localhost"
}
