// Writes tests/unit/model/quantities.jsonl: what the real library makes of many texts.
//
// One JSON array a line: [text] when it is refused, else
// [text, String(), unscaled value, scale, format]. To run it: copy this file to an empty folder,
// `go mod init quantities && go get k8s.io/apimachinery@v0.36.3 && go run . > quantities.jsonl`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"k8s.io/apimachinery/pkg/api/resource"
	"math/rand"
	"os"
	"strings"
)

func main() {
	r := rand.New(rand.NewSource(36))
	seen := map[string]bool{}
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	emit := func(t string) {
		if seen[t] {
			return
		}
		seen[t] = true
		in, _ := json.Marshal(t)
		q, err := resource.ParseQuantity(t)
		if err != nil {
			fmt.Fprintf(w, "[%s]\n", in)
			return
		}
		s := q.String()
		out, _ := json.Marshal(s)
		d := q.AsDec()
		// value as unscaled and scale
		fmt.Fprintf(w, "[%s,%s,\"%s\",%d,\"%s\"]\n", in, out, d.UnscaledBig().String(), int(d.Scale()), q.Format)
	}
	for _, t := range []string{"", "0", "-0", "+0", "00", "+", "-", ".", "+.", "-.", "k", "m", "Ki", "Pi", "Ei", "e3", "E", "1E", "e", "1e", "1e3", "1E3", "1000", "0.5", "+1", "1.", ".5", "00500", "-1", "1e-3", "1e-9", "1e-10", "1e-100", "e-10", ".e-10", "0e-10", "1e21", "1000E", "1e999", "1e+3", "1e03", "1ee3", "1e3k", "1kk", "1K", "1ki", "0x10", "1_000", " 1", "1 ", "1\n", "１", "NaN", "Infinity", "1,5", "1.5.5", "1..5", "--1", "+-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "9223372036854775807Ki", "999999999999999999", "1000000000000000000", "1000000000000000000000", "123456789012345678901234567890", "0.1n", "0.0000000001", "1.1Ki", "0.1Ki", "0.0001Ki", "1023", "1024Mi", "8Ki", "1Ki", "512Ki", "-1Ki", "-512Ki", "1Ei", "8Ei", "-9Ei", ".5Pi", "500m", "1500m", "1.500", "0.500", "1e9223372036854775808", "1e99999999999999999999", "0.000000000000000000000000000001Ki", "10000000000000000000000", "5Gi", "1Ti", "3Ti"} {
		emit(t)
	}
	suf := []string{"", "", "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e%", "E%", "e-%", "E-%", "e+%", "E+%"}
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			if r.Intn(3) == 0 {
				b[i] = '0'
			} else {
				b[i] = byte('0' + r.Intn(10))
			}
		}
		return string(b)
	}
	for len(seen) < 2400 {
		t := []string{"", "", "", "", "", "+", "-"}[r.Intn(7)]
		n := r.Intn(7)
		if r.Intn(8) == 0 {
			n = r.Intn(30)
		}
		t += digits(n)
		if r.Intn(2) == 0 {
			n = r.Intn(6)
			if r.Intn(8) == 0 {
				n = r.Intn(25)
			}
			t += "." + digits(n)
		}
		s := suf[r.Intn(len(suf))]
		e := r.Intn(13)
		if r.Intn(6) == 0 {
			e = r.Intn(80)
		}
		t += strings.Replace(s, "%", fmt.Sprint(e), 1)
		emit(t)
	}
	junk := "0123456789.+-eEinumkKMGTP x"
	for len(seen) < 3200 {
		n := 1 + r.Intn(7)
		b := make([]byte, n)
		for i := range b {
			b[i] = junk[r.Intn(len(junk))]
		}
		emit(string(b))
	}
}
