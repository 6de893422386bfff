"""Readers of evaluation reports, one module a tool: bytes in, attempts out, no I/O.

None needs the tool that wrote the report. A report that is cut short, or says that it holds more
than it does, is an error and never fewer cases.
"""
