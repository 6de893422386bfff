# `make TARGET` and `./run TARGET` are the same; `./run` needs no make. `make` alone lists them.
#   make PYTHON=python3.12 demo      another Python
#   make test ARGS='-k bootstrap'    arguments for the target

PYTHON ?= python3
TARGETS = demo test check lint check-lowest soak bench fixtures samples clean help

.DEFAULT_GOAL = help
.PHONY: $(TARGETS)

$(TARGETS):
	@"$(PYTHON)" ./run $@ $(ARGS)
