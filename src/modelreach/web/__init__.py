"""A state in the browser, for a team: what is deployed, what it reaches, what became of it.

Read-only: there is no request that changes anything, and the state is opened so that none could.
Pages and reports come from renderers; this package only finds what they show, and guards the door.
"""

from modelreach.web.app import application
from modelreach.web.guard import Door

__all__ = ["Door", "application"]
