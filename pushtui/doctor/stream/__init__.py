"""What an event stream is asked: WHATWG HTML, section 9.2."""
