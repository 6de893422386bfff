"""A manifest drafted from what other files or an estate say, each value with its source.

`files` reads what a file says as plain values, `said` are the words in which importers speak,
`merge` puts what several sources say together, `write` gives the YAML.
"""

from modelreach.draft.files import SourceFile
from modelreach.draft.merge import Draft, merged
from modelreach.draft.said import Rank, Said, Secret
from modelreach.draft.write import written

__all__ = ["Draft", "Rank", "Said", "Secret", "SourceFile", "merged", "written"]
