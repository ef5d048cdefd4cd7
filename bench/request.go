package main

import "strconv"

// request is the parts of a POST of one kind; only token, member and key
// differ between requests.
type request struct {
	head, tail string
	member     bool // name the member in a header, for bare gin
}

func post(path, body string) request {
	return request{
		head: "POST " + path + " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n",
		tail: "\r\n\r\n" + body,
	}
}

// write appends the request of a member under a key.
func (r request) write(buf []byte, c crowd, member int, key string, n int) []byte {
	buf = append(buf, r.head...)
	if r.member {
		buf = append(buf, "X-Member: "...)
		buf = append(buf, c.ids[member].String()...)
		buf = append(buf, "\r\n"...)
	}
	buf = append(buf, "Authorization: Bearer "...)
	buf = append(buf, c.tokens[member]...)
	buf = append(buf, "\r\nIdempotency-Key: "...)
	buf = append(buf, key...)
	buf = append(buf, '-')
	buf = strconv.AppendInt(buf, int64(n), 10)
	return append(buf, r.tail...)
}

// oncePer is one request per member, spread over the requests' kinds in turn.
func oncePer(c crowd, key string, kinds ...request) source {
	return source{count: len(c.ids), write: func(buf []byte, n int) []byte {
		return kinds[n%len(kinds)].write(buf, c, n, key, n)
	}}
}
