package delivery

import "testing"

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
