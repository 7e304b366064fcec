"""The tagger as a service: an HTTP API and a page for people. Needs the extra ``serve``; keeps nothing."""
