package delivery

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// The payload of an XML body is what webhook makes of it.
func TestXML(t *testing.T) {
	tests := []struct{ body, want string }{
		{"<r/>", `{"r":""}`},
		{"<r> </r>", `{"r":""}`},
		{"<r k=\"\"/>", `{"r":{"-k":""}}`},
		{"<r k=\"1\">t</r>", `{"r":{"#text":"t","-k":"1"}}`},
		{"<r><a/>t</r>", `{"r":{"#text":"t","a":""}}`},
		{"<r>t<a/></r>", `{"r":{"#text":"t","a":""}}`},
		{"<r>t<a/>u</r>", `{"r":{"#text":"t","a":""}}`},
		{"<r>t<a/>u<b/>v</r>", `{"r":{"#text":"t","a":"","b":""}}`},
		{"<r><a/>u<b/>v</r>", `{"r":{"#text":"v","a":"","b":""}}`},
		{"<r>a<!-- -->b</r>", `{"r":"b"}`},
		{"<r>a<![CDATA[b]]></r>", `{"r":"b"}`},
		{"<r><i/><i>1</i><i k=\"1\"/></r>", `{"r":{"i":["","1",{"-k":"1"}]}}`},
		{"<r k=\"1\" k=\"2\"/>", `{"r":{"-k":"2"}}`},
		{"<r xmlns:x=\"u\" x:k=\"1\" k=\"2\"/>", `{"r":{"-k":"2","-x":"u"}}`},
		{"<x:r xmlns:x=\"u\"><x:a>1</x:a><a>2</a></x:r>", `{"r":{"-x":"u","a":["1","2"]}}`},
		{"<r x:-k=\"1\" xmlns:x=\"u\"><x:-k>2</x:-k></r>", `{"r":{"--k":"1","-k":"2","-x":"u"}}`},
		{"text <r/>", `{"r":""}`},
		{"<r/> text", `{"r":""}`},
		{"<r/><s/>", `{"r":""}`},
		{"<!-- --><?p i?><!DOCTYPE r><r>1</r>", `{"r":"1"}`},
		{"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><r/>", `null`},
		{"<r>&nbsp;</r>", `null`},
		{"<r>&#x2028;&lt;</r>", `{"r":"\u2028\u003c"}`},
		{"<r>\xff</r>", `null`},
		{"<r", `null`},
		{"<r></s>", `null`},
		{"<r>\u00a0 x \n</r>", "{\"r\":\"\u00a0 x\"}"},
		{" ", `null`},
		{"<r><a>1</a><A>2</A></r>", `{"r":{"A":"2","a":"1"}}`},
		{"<r a=\"1\"><-a/></r>", `null`},
	}
	for _, tt := range tests {
		d := typed("text/xml", tt.body)
		if got := valueOf(t, d, Ref{Source: EntirePayload}); got != tt.want {
			t.Errorf("%s = %s, want %s", tt.body, got, tt.want)
		}
		if (d.Problem() != nil) != (tt.want == "null") {
			t.Errorf("%s: problem %v", tt.body, d.Problem())
		}
	}
}

// The counter counts what the decoder finds, wherever "<", "=" and quotes stand.
func TestXMLCounter(t *testing.T) {
	for _, tt := range []struct {
		body string
		want int
	}{
		{`<a/>`, 1},
		{` x <a>t</a>`, 1},
		{`<a><b></b><c/></a>`, 3},
		{`<a b="" c='' >t</a>`, 3},
		{`<a b="'>=" c='"/'/>`, 3},
		{`<a>"=" '=' <b c="=="/> "</a>`, 3},
		{`<!-- <b c=""> --><?b c=""?><!DOCTYPE b [<!ENTITY c "">]><a><![CDATA[<b c="">]]></a>`, 1},
		{`<a><!----><b c=""/><![CDATA[]]><b/></a>`, 4},
		{`<x:a xmlns:x="u" x:b="1"/>`, 3},
	} {
		checkCounter(t, tt.body)
		counter := &xmlCounter{body: []byte(tt.body)}
		r := xmlReader{decoder: xml.NewDecoder(counter), counter: counter}
		for _, err := r.token(); err == nil; _, err = r.token() {
		}
		if counter.nodes != tt.want {
			t.Errorf("%s: %d elements and attributes, want %d", tt.body, counter.nodes, tt.want)
		}
	}
}

// checkCounter compares the counter with what a decoder without it shows, token
// for token.
func checkCounter(t *testing.T, body string) {
	t.Helper()
	counter := &xmlCounter{body: []byte(body)}
	r := xmlReader{decoder: xml.NewDecoder(counter), counter: counter}
	alone := xml.NewDecoder(strings.NewReader(body))
	for nodes := 0; ; {
		token, err := r.token()
		want, wantErr := alone.Token()
		if !reflect.DeepEqual(token, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%q: %v, %v; want %v, %v", body, token, err, want, wantErr)
		}
		if err != nil {
			return
		}
		if start, ok := token.(xml.StartElement); ok {
			nodes += 1 + len(start.Attr)
		}
		if counter.nodes != nodes {
			t.Fatalf("%q: %d elements and attributes are counted, want %d", body, counter.nodes, nodes)
		}
	}
}

func FuzzXML(f *testing.F) {
	f.Add(`<r k="1"><a>1</a><b/>t<b x="1"/></r>`)
	f.Add(`<?xml version="1.0"?><!DOCTYPE r><r>a<!-- -->b<![CDATA[<c>]]><d/>&lt;</r>`)
	f.Add(`<r k='"=' l="'>"><![CDATA[<c d="">]]>&quot;<!-- <e> --><?p <f>?></r> <g/>`)
	f.Fuzz(func(t *testing.T, body string) {
		checkCounter(t, body)
		d := typed("text/xml", body)
		problem := d.Validate()
		whole := valueOf(t, d, Ref{Source: EntirePayload})
		_, _, _, err := scanValue(whole, 2*maxDepth+1)
		if err != nil || (problem != nil) != (whole == "null") {
			t.Fatalf("problem %v, entire payload %q: %v", problem, whole, err)
		}
	})
}
