package scrape

// outlet compresses what is emitted into the chunks of a track.
type outlet struct {
	flight     *flight
	encoding   encoding
	compressor compressor
	giveBack   func()
	c          *chunk // being filled; nil: none
}

func newOutlet(f *flight, e encoding) *outlet {
	o := &outlet{flight: f, encoding: e}
	o.compressor, o.giveBack = f.metrics.supplies.compressor(e, o)
	return o
}

// Write takes compressed bytes.
func (o *outlet) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if o.c == nil {
			o.c = o.flight.metrics.supplies.chunk()
		}
		p = p[o.c.append(p):]
		if o.c.full() {
			if err := o.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// flush puts the chunk on the track.
func (o *outlet) flush() error {
	if o.c == nil {
		return nil
	}
	c := o.c
	o.c = nil
	defer o.flight.drop(c)
	return o.flight.push(&o.flight.tracks[o.encoding], c)
}

// close ends the compressed stream, unless there was an err before. It returns the
// first error.
func (o *outlet) close(err error) error {
	if err == nil {
		err = o.compressor.Close()
	}
	if err == nil {
		err = o.flush()
	}
	if o.c != nil {
		o.flight.drop(o.c)
		o.c = nil
	}
	o.giveBack()
	return err
}
