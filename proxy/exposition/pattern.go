package exposition

type pattern struct{}

func (p *pattern) forget()                                               {}
func (p *pattern) learn(b []byte, i int, r *Reader)                      {}
func (p *pattern) match(r *Reader, b []byte, i, from int) (next, to int) { return 0, 0 }
