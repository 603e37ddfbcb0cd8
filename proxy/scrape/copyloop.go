package scrape

import "io"

// copyLoop reads the labelled answer to its end, and publishes it if the flight streams.
// Otherwise it collects chunks, until there are too many: then the flight must stream.
func (f *flight) copyLoop() error {
	for {
		c, end := f.fill()
		if end != nil && end != io.EOF {
			f.unref(c)
			return end
		}
		if f.streaming {
			if err := f.publish(c); err != nil {
				return err
			}
		} else {
			f.pending = append(f.pending, c)
		}
		switch {
		case end != nil:
			return nil
		case !f.streaming && len(f.pending) > smallChunks:
			f.streaming = true
			return nil
		}
	}
}

// fill reads a chunk.
func (f *flight) fill() (c *chunk, err error) {
	c = f.handler.buffers.chunk()
	if c.data, err = f.reader.Next(c.data); err != nil {
		err = readError(err)
	}
	return c, err
}

// startStreaming lets nobody join any more, and publishes what was collected.
func (f *flight) startStreaming() error {
	f.handler.group.remove(f)
	f.mu.Lock()
	for e := range f.variants {
		f.variants[e].phase = phaseStreaming
		f.variants[e].wake()
	}
	f.mu.Unlock()
	return f.publishPending()
}

// publishPending publishes what was collected. It drops the rest after an error.
func (f *flight) publishPending() error {
	f.startEncoders()
	var first error
	for _, c := range f.pending {
		if first != nil {
			f.unref(c)
			continue
		}
		first = f.publish(c)
	}
	f.pending = nil
	return first
}

// startEncoders makes an encoder for each encoding that has waiters. Nobody can join any more
// when it is called.
func (f *flight) startEncoders() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range [...]encoding{encodingZstd, encodingGzip} {
		if len(f.variants[e].waiters) > 0 {
			f.encoders[e] = newEncoder(f, e)
		}
	}
}

// publish adds c to all variants that have waiters. It takes over the reference.
func (f *flight) publish(c *chunk) error {
	defer f.unref(c)
	if len(c.data) == 0 {
		return nil
	}
	if f.version != nil {
		if version := f.version.look(c.data); version != "" {
			f.handler.o.Observer.SetRunnerVersion(version)
			f.version = nil
		}
	}
	if err := f.publishTo(&f.variants[encodingIdentity], c); err != nil {
		return err
	}
	for _, enc := range f.encoders {
		if enc == nil {
			continue
		}
		if _, err := enc.compressor.Write(c.data); err != nil {
			return err
		}
	}
	return nil
}

// unref drops a reference to c.
func (f *flight) unref(c *chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.unref(f.handler.buffers)
}

// finish publishes what is left of the answer, and its end or failure.
func (f *flight) finish(err error) {
	f.handler.group.remove(f)
	if err == nil && !f.streaming {
		err = f.publishPending()
	}
	for e, enc := range f.encoders {
		if enc != nil {
			err = enc.close(err)
			f.encoders[e] = nil
		}
	}
	for _, c := range f.pending {
		f.unref(c)
	}
	f.pending = nil
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	for e := range f.variants {
		f.variants[e].finish(err, f.handler.buffers)
	}
}

// encoder compresses an answer into the chunks of its variant.
type encoder struct {
	flight     *flight
	encoding   encoding
	compressor compressor
	release    func()
	chunk      *chunk // being filled; nil: none
}

func newEncoder(f *flight, e encoding) *encoder {
	enc := &encoder{flight: f, encoding: e}
	enc.compressor, enc.release = f.handler.buffers.compressor(e, enc)
	return enc
}

// Write implements io.Writer for the compressor.
func (enc *encoder) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if enc.chunk == nil {
			enc.chunk = enc.flight.handler.buffers.chunk()
		}
		p = p[enc.chunk.append(p):]
		if enc.chunk.full() {
			if err := enc.flush(); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// flush publishes the chunk.
func (enc *encoder) flush() error {
	if enc.chunk == nil {
		return nil
	}
	c := enc.chunk
	enc.chunk = nil
	defer enc.flight.unref(c)
	return enc.flight.publishTo(&enc.flight.variants[enc.encoding], c)
}

// close ends the compressed stream, unless err is an earlier error. It returns the first
// error.
func (enc *encoder) close(err error) error {
	if err == nil {
		err = enc.compressor.Close()
	}
	if err == nil {
		err = enc.flush()
	}
	if enc.chunk != nil {
		enc.flight.unref(enc.chunk)
		enc.chunk = nil
	}
	enc.release()
	return err
}
