package marketplace

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"gatehouse/directory"
	"gatehouse/internal/web"
)

const (
	defaultSize = 50
	maxSize     = 100
	// maxPage keeps the product of page and size a number.
	maxPage = 1<<31 - 1
)

// list is a page of users on the wire.
type list struct {
	Items []user `json:"items"`
	Total int64  `json:"total"` // of all pages
	Page  int64  `json:"page"`
	Size  int64  `json:"size"`
}

// Users answers GET /users.
func (a *API) Users(w http.ResponseWriter, r *http.Request) error {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return web.Errorf(http.StatusBadRequest, "The query cannot be read")
	}
	var f directory.ProfileFaults
	l := list{Items: []user{}, Page: number(params, "page", 0, 0, maxPage, &f), Size: number(params, "size", defaultSize, 1, maxSize, &f)}
	q := directory.ProfileQuery{Company: caller(r), Offset: l.Page * l.Size, Limit: l.Size}
	readIDs(params, &q, &f)
	readEmail(params, &q, &f)
	if err := f.Err(); err != nil {
		return err
	}
	seen, total, err := a.Marketplace.Profiles(r.Context(), q)
	if err != nil {
		return err
	}
	l.Total = total
	for i := range seen {
		if seen[i].Unreadable {
			web.Note(r.Context(), slog.String("unreadable", seen[i].ID.String()))
		}
		l.Items = append(l.Items, show(&seen[i]))
	}
	return web.WriteJSON(w, http.StatusOK, l)
}

// number reads a parameter that is given once at most.
func number(params url.Values, name string, otherwise, least, most int64, f *directory.ProfileFaults) int64 {
	values, given := params[name]
	if !given {
		return otherwise
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	f.Add(len(values) > 1 || err != nil || n < least || n > most, name,
		"must be one whole number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
	return n
}

// readIDs reads ids[], which repeats. What has not the form of an id is that of
// no user.
func readIDs(params url.Values, q *directory.ProfileQuery, f *directory.ProfileFaults) {
	texts, given := params["ids[]"]
	if !given {
		return
	}
	f.Add(len(texts) > directory.MaxProfileIDs, "ids[]", "must be at most 100")
	q.IDs = []uuid.UUID{}
	for _, text := range texts {
		if id, ok := parseID(text); ok {
			q.IDs = append(q.IDs, id)
		}
	}
}

// readEmail reads the address that users must have. What is not an address is
// that of no user.
func readEmail(params url.Values, q *directory.ProfileQuery, f *directory.ProfileFaults) {
	texts, given := params["email"]
	if !given {
		return
	}
	f.Add(len(texts) > 1, "email", "must be given once")
	q.Email = texts[0]
	if directory.ValidateEmail(q.Email) != nil {
		q.Email, q.IDs = "", []uuid.UUID{}
	}
}
