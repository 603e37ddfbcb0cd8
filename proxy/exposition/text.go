package exposition

type textState struct{}

func (t *textState) reset() {}

func (r *Reader) lines() error { return ErrTruncated }
