package places_test

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"
)

// database is a MaxMind DB to be (format 2.0): networks of IPv4 and what is known
// of each.
type database struct {
	kind     string
	networks []located
}

type located struct {
	prefix string
	data   map[string]any
}

func named(cy, en string) map[string]any {
	all := map[string]any{"en": en}
	if cy != "" {
		all["cy"] = cy
	}
	return map[string]any{"names": all}
}

// cities has a city for loopback, where tests come from.
var cities = database{"Test-City", []located{
	{"127.0.0.0/8", map[string]any{"city": named("Caerdydd", "Cardiff"), "country": named("Y Deyrnas Unedig", "United Kingdom")}},
	{"198.51.100.0/24", map[string]any{"country": named("", "France")}},
	{"192.0.2.0/24", map[string]any{"location": map[string]any{"time_zone": "Europe/London"}}},
}}

// nothing is the record of a branch that leads nowhere, leaf+i that of networks[i].
const (
	nothing = -1
	leaf    = 1 << 20
)

func (d database) tree() [][2]int {
	nodes := [][2]int{{nothing, nothing}}
	for i, n := range d.networks {
		prefix := netip.MustParsePrefix(n.prefix)
		bits, at := binary.BigEndian.Uint32(prefix.Addr().AsSlice()), 0
		for depth := range prefix.Bits() {
			branch := &nodes[at][bits>>(31-depth)&1]
			switch {
			case depth == prefix.Bits()-1:
				*branch = leaf + i
			case *branch == nothing:
				*branch = len(nodes)
				at = len(nodes)
				nodes = append(nodes, [2]int{nothing, nothing})
			default:
				at = *branch
			}
		}
	}
	return nodes
}

// file is the database with records of 24 bits: the tree, 16 zeros, what is known,
// and what the file says of itself.
func (d database) file() []byte {
	const separator = 16
	nodes := d.tree()
	var known []byte
	var offsets []int
	for _, n := range d.networks {
		offsets = append(offsets, len(known))
		known = encode(known, n.data)
	}
	var out []byte
	for _, node := range nodes {
		for _, record := range node {
			switch {
			case record == nothing:
				record = len(nodes)
			case record >= leaf:
				record = len(nodes) + separator + offsets[record-leaf]
			}
			out = append(out, byte(record>>16), byte(record>>8), byte(record))
		}
	}
	out = append(append(out, make([]byte, separator)...), known...)
	return encode(append(out, "\xab\xcd\xefMaxMind.com"...), map[string]any{
		"node_count": len(nodes), "record_size": 24, "ip_version": 4, "database_type": d.kind,
		"binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1, "description": map[string]any{"en": "for tests"},
	})
}

// encode appends a value: a control byte with type and length, and the content.
func encode(out []byte, value any) []byte {
	const text, number, object = 2 << 5, 6 << 5, 7 << 5
	switch v := value.(type) {
	case string:
		return append(append(out, text|byte(len(v))), v...)
	case int:
		return binary.BigEndian.AppendUint32(append(out, number|4), uint32(v)) // #nosec G115 -- small and positive
	case map[string]any:
		out = append(out, object|byte(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = encode(encode(out, key), v[key])
		}
	}
	return out
}
