package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/directory"
)

// How much the marketplace holds when it is measured at scale. The newest users
// are imported, since only the program can encrypt; the others are SQL's.
const (
	scaleShoppers = 1_000_000
	scaleSealed   = 20_000
	scaleDeep     = 1_000 // the page of 50 that comes after 50,000 users
)

// scaleScopes are the clients that ask, and what their tokens are for. A quarter
// of the shoppers are those of bazaar, and isp sees every other shopper.
var scaleScopes = map[string]string{
	"machine": "notify.admin",
	"acme":    directory.ScopePartner,
	"bazaar":  directory.ScopePartner,
	"isp":     directory.ScopeProvider,
}

const scaleProviderPage = `select u.email, c.cp_user_id from (
	select user_id from marketplace_consents
	where provider_id = 'isp' and ended_at is null and (expires_at is null or expires_at > 1798761600000000)
	order by user_created_at desc, user_id limit 50) page
	join marketplace_users u on u.id = page.user_id join marketplace_consents c on c.user_id = u.id and c.provider_id = 'isp'
	order by u.created_at desc, u.id`

var scaleMarketRoutes = []scaleRoute{
	{name: "GET /users, partner", caller: "acme", request: scaleList(""), explain: `select u.email from (
	select id from marketplace_users where partner_id = 'acme' order by created_at desc, id limit 50) page
	join marketplace_users u on u.id = page.id order by u.created_at desc, u.id`},
	{name: "GET /users, provider", caller: "isp", request: scaleList(""), explain: scaleProviderPage},
	{name: "GET /users?email=, partner", caller: "acme", request: scaleByEmail},
	{name: "GET /users?email=, provider", caller: "isp", request: scaleByEmail},
	{name: "GET /users?ids[]= of 10, partner", caller: "acme", request: scaleByIDs("m", 10)},
	{name: "GET /users?ids[]= of 10, provider", caller: "isp", request: scaleByIDs("c", 10)},
	{name: "GET /users?ids[]= of 100, partner", caller: "acme", request: scaleByIDs("m", 100)},
	{name: "GET /users?ids[]= of 100, provider", caller: "isp", request: scaleByIDs("c", 100)},
	{name: "GET /users after 50,000, partner", caller: "acme", request: scaleList(fmt.Sprintf("?page=%d", scaleDeep)), deep: true},
	{name: "GET /users after 50,000, provider", caller: "isp", request: scaleList(fmt.Sprintf("?page=%d", scaleDeep)), deep: true},
}

func scaleList(query string) func(int) (string, string, string) {
	return func(int) (string, string, string) { return http.MethodGet, "/users" + query, "" }
}

func scaleByEmail(n int) (string, string, string) {
	return http.MethodGet, fmt.Sprintf("/users?email=shopper%d@example.com", scaleShopper(n)), ""
}

// scaleByIDs asks for so many users as the caller knows them, whose ids are of this kind.
func scaleByIDs(kind string, count int) func(int) (string, string, string) {
	return func(n int) (string, string, string) {
		ids := make([]string, count)
		for i := range ids {
			ids[i] = "ids[]=" + scaleID(kind, scaleShopper(n*count+i)).String()
		}
		return http.MethodGet, "/users?size=100&" + strings.Join(ids, "&"), ""
	}
}

// scaleShopper is a user of acme whom isp sees: every other one has encrypted values.
func scaleShopper(n int) int {
	if n%2 == 0 {
		return scaleShoppers - scaleSealed + n*4%scaleSealed
	}
	return n * 4 * 499 % (scaleShoppers - scaleSealed)
}

// importShoppers imports the newest shoppers.
func (d *deployment) importShoppers(ctx context.Context) error {
	file := importCase{file: "shoppers.jsonl", record: func(w io.Writer, n int) {
		n += scaleShoppers - scaleSealed
		partner, consents := "acme", ""
		if n%4 == 2 {
			partner = "bazaar"
		}
		if n%2 == 0 {
			consents = fmt.Sprintf(`,"consents":[{"cp_id":"isp","cp_user_id":"%s"}]`, scaleID("c", n))
		}
		fmt.Fprintf(w, `{"type":"marketplace_user","external_id":"%d","id":"%s","partner_id":"%s","first_name":"Ann","surname":"Person","email":"shopper%d@example.com",`+
			`"national_insurance_number":"QQ%06dC","passport_number":"%09d","dob":"1985-06-07T00:00:00Z","created_at":"%s"%s}`+"\n",
			n, scaleID("m", n), partner, n, n, n, time.UnixMicro(1767225600000000+int64(n)).UTC().Format(time.RFC3339Nano), consents)
	}}
	path := filepath.Join(d.dir, file.file)
	if _, err := file.write(path, scaleSealed); err != nil {
		return err
	}
	return d.importFile(ctx, path, &importResult{records: scaleSealed})
}
