"""The standards that are referred to, each in the editions that are."""

from __future__ import annotations

import msgspec


class Framework(msgspec.Struct, frozen=True):
    """A standard in one edition. `code` is how references to it begin; `source` is where the
    entries are published, and `entry` the address of one, with `{}` for its id."""

    code: str
    edition: str
    name: str
    source: str
    entry: str = ""


NHI = Framework(
    "OWASP-NHI",
    "2025",
    "OWASP Non-Human Identities Top 10",
    "https://owasp.org/www-project-non-human-identities-top-10/2025/top-10-2025",
)
ASI = Framework(
    "OWASP-ASI",
    "2026",
    "OWASP Top 10 for Agentic Applications",
    "https://genai.owasp.org/resource/owasp-top-10-for-agentic-applications-for-2026/",
)
LLM_2025 = Framework(
    "OWASP-LLM",
    "2025",
    "OWASP Top 10 for LLM Applications",
    "https://github.com/OWASP/www-project-top-10-for-large-language-model-applications/tree/main/2_0_vulns",
)
LLM_2026 = Framework(
    "OWASP-LLM",
    "2026",
    "OWASP Top 10 for LLM Applications",
    "https://github.com/GenAI-Security-Project/GenAI-LLM-Top10/tree/main/2026/final",
)
CSF = Framework(
    "NIST-CSF",
    "2.0",
    "NIST Cybersecurity Framework",
    "https://doi.org/10.6028/NIST.CSWP.29",
)
SP800_53 = Framework(
    "NIST-800-53",
    "r5",
    "NIST SP 800-53, Revision 5",
    "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final",
)
MAESTRO = Framework(
    "CSA-MAESTRO",
    "2025-02",
    "CSA MAESTRO, layers",
    "https://cloudsecurityalliance.org/blog/2025/02/06/agentic-ai-threat-modeling-framework-maestro",
)
ATTACK = Framework(
    "MITRE-ATTACK",
    "18.1",
    "MITRE ATT&CK for Enterprise",
    "https://attack.mitre.org/",
    "https://attack.mitre.org/techniques/{}",
)
ATLAS = Framework(
    "MITRE-ATLAS",
    "5.6.0",
    "MITRE ATLAS",
    "https://atlas.mitre.org/",
    "https://atlas.mitre.org/techniques/{}",
)


class StandardRef(msgspec.Struct, frozen=True):
    """One entry of a standard. `key` is how it leaves the program: `OWASP-NHI:2025:NHI5`."""

    framework: Framework
    id: str
    title: str

    @property
    def key(self) -> str:
        """Code, edition and id."""
        return f"{self.framework.code}:{self.framework.edition}:{self.id}"

    @property
    def source(self) -> str:
        """Where the entry is published."""
        if not self.framework.entry:
            return self.framework.source
        name = self.id if self.framework is ATLAS else self.id.replace(".", "/")
        return self.framework.entry.format(name)
