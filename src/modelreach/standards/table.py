"""The entries that are referred to, with the publishers' titles."""

from __future__ import annotations

from collections.abc import Mapping

from modelreach.standards.frameworks import (
    ASI,
    ATLAS,
    ATTACK,
    CSF,
    LLM_2025,
    LLM_2026,
    MAESTRO,
    NHI,
    SP800_53,
    Framework,
    StandardRef,
)

#: In the order in which they are shown.
_TITLES: Mapping[Framework, Mapping[str, str]] = {
    NHI: {
        "NHI1": "Improper Offboarding",
        "NHI2": "Secret Leakage",
        "NHI4": "Insecure Authentication",
        "NHI5": "Overprivileged NHI",
        "NHI7": "Long-Lived Secrets",
        "NHI9": "NHI Reuse",
    },
    ASI: {
        "ASI01": "Agent Goal Hijack",
        "ASI02": "Tool Misuse & Exploitation",
        "ASI03": "Identity & Privilege Abuse",
        "ASI04": "Agentic Supply Chain Vulnerabilities",
        "ASI05": "Unexpected Code Execution (RCE)",
        "ASI06": "Memory & Context Poisoning",
        "ASI08": "Cascading Failures",
        "ASI09": "Human-Agent Trust Exploitation",
        "ASI10": "Rogue Agents",
    },
    LLM_2025: {
        "LLM01": "Prompt Injection",
        "LLM02": "Sensitive Information Disclosure",
        "LLM03": "Supply Chain",
        "LLM04": "Data and Model Poisoning",
        "LLM05": "Improper Output Handling",
        "LLM06": "Excessive Agency",
        "LLM07": "System Prompt Leakage",
        "LLM08": "Vector and Embedding Weaknesses",
        "LLM10": "Unbounded Consumption",
    },
    LLM_2026: {
        "LLM01": "Prompt Injection",
        "LLM02": "Sensitive Information Disclosure",
        "LLM03": "Excessive Agency",
        "LLM04": "Supply Chain",
        "LLM05": "Data and Model Poisoning",
        "LLM06": "Unbounded Consumption",
        "LLM08": "Hidden Context Exposure",
        "LLM09": "Vector and Embedding Weaknesses",
        "LLM10": "Improper Output Handling",
    },
    CSF: {
        "GV.OC-01": "The organizational mission is understood and informs cybersecurity risk "
        "management",
        "GV.OC-05": "Outcomes, capabilities, and services that the organization depends on are "
        "understood and communicated",
        "GV.SC-07": "The risks posed by a supplier, their products and services, and other third "
        "parties are understood, recorded, prioritized, assessed, responded to, and monitored "
        "over the course of the relationship",
        "ID.AM-07": "Inventories of data and corresponding metadata for designated data types are "
        "maintained",
        "ID.RA-01": "Vulnerabilities in assets are identified, validated, and recorded",
        "ID.RA-07": "Changes and exceptions are managed, assessed for risk impact, recorded, and "
        "tracked",
        "ID.IM-02": "Improvements are identified from security tests and exercises, including "
        "those done in coordination with suppliers and relevant third parties",
        "PR.AA-01": "Identities and credentials for authorized users, services, and hardware are "
        "managed by the organization",
        "PR.AA-05": "Access permissions, entitlements, and authorizations are defined in a "
        "policy, managed, enforced, and reviewed, and incorporate the principles of least "
        "privilege and separation of duties",
        "PR.PS-01": "Configuration management practices are established and applied",
        "PR.PS-04": "Log records are generated and made available for continuous monitoring",
        "DE.CM-09": "Computing hardware and software, runtime environments, and their data are "
        "monitored to find potentially adverse events",
        "RC.RP-02": "Recovery actions are selected, scoped, prioritized, and performed",
    },
    SP800_53: {
        "AC-2": "Account Management",
        "AC-3": "Access Enforcement",
        "AC-4": "Information Flow Enforcement",
        "AC-6": "Least Privilege",
        "AC-6(5)": "Least Privilege | Privileged Accounts",
        "AC-6(7)": "Least Privilege | Review of User Privileges",
        "AU-2": "Event Logging",
        "AU-6": "Audit Record Review, Analysis, and Reporting",
        "AU-12": "Audit Record Generation",
        "CA-8": "Penetration Testing",
        "CA-9": "Internal System Connections",
        "CM-3": "Configuration Change Control",
        "CM-3(2)": "Configuration Change Control | Testing, Validation, and Documentation of "
        "Changes",
        "CM-4": "Impact Analyses",
        "CM-5": "Access Restrictions for Change",
        "CP-10": "System Recovery and Reconstitution",
        "IA-5": "Authenticator Management",
        "IA-5(7)": "Authenticator Management | No Embedded Unencrypted Static Authenticators",
        "IA-5(13)": "Authenticator Management | Expiration of Cached Authenticators",
        "IA-9": "Service Identification and Authentication",
        "IR-4": "Incident Handling",
        "SA-9": "External System Services",
        "SA-11": "Developer Testing and Evaluation",
        "SI-4": "System Monitoring",
        "SI-10": "Information Input Validation",
        "SI-15": "Information Output Filtering",
        "SR-6": "Supplier Assessments and Reviews",
    },
    MAESTRO: {
        "L1": "Foundation Models",
        "L2": "Data Operations",
        "L3": "Agent Frameworks",
        "L4": "Deployment and Infrastructure",
        "L5": "Evaluation and Observability",
        "L6": "Security and Compliance (vertical)",
        "L7": "Agent Ecosystem",
    },
    ATTACK: {
        "T1078.004": "Cloud Accounts",
        "T1098.001": "Additional Cloud Credentials",
        "T1098.003": "Additional Cloud Roles",
        "T1485": "Data Destruction",
        "T1528": "Steal Application Access Token",
        "T1530": "Data from Cloud Storage",
        "T1548.005": "Temporary Elevated Cloud Access",
        "T1550.001": "Application Access Token",
        "T1552": "Unsecured Credentials",
        "T1555.006": "Cloud Secrets Management Stores",
        "T1562.008": "Disable or Modify Cloud Logs",
        "T1565": "Data Manipulation",
        "T1648": "Serverless Execution",
        "T1651": "Cloud Administration Command",
    },
    ATLAS: {
        "AML.T0010.003": "AI Supply Chain Compromise: Model",
        "AML.T0010.005": "AI Supply Chain Compromise: AI Agent Tool",
        "AML.T0012": "Valid Accounts",
        "AML.T0018": "Manipulate AI Model",
        "AML.T0024": "Exfiltration via AI Inference API",
        "AML.T0031": "Erode AI Model Integrity",
        "AML.T0048": "External Harms",
        "AML.T0049": "Exploit Public-Facing Application",
        "AML.T0051": "LLM Prompt Injection",
        "AML.T0051.000": "LLM Prompt Injection: Direct",
        "AML.T0051.001": "LLM Prompt Injection: Indirect",
        "AML.T0053": "AI Agent Tool Invocation",
        "AML.T0054": "LLM Jailbreak",
        "AML.T0055": "Unsecured Credentials",
        "AML.T0056": "Extract LLM System Prompt",
        "AML.T0057": "LLM Data Leakage",
        "AML.T0070": "RAG Poisoning",
        "AML.T0081": "Modify AI Agent Configuration",
        "AML.T0085": "Data from AI Services",
        "AML.T0085.000": "Data from AI Services: RAG Databases",
        "AML.T0086": "Exfiltration via AI Agent Tool Invocation",
        "AML.T0098": "AI Agent Tool Credential Harvesting",
        "AML.T0101": "Data Destruction via AI Agent Tool Invocation",
        "AML.T0109": "AI Supply Chain Rug Pull",
        "AML.T0110": "AI Agent Tool Poisoning",
    },
}

#: Every entry, in the order of the standards and then of their ids.
REFERENCES: tuple[StandardRef, ...] = tuple(
    StandardRef(framework, id_, title)
    for framework, entries in _TITLES.items()
    for id_, title in entries.items()
)
_BY_KEY = {one.key: one for one in REFERENCES}


def reference(key: str) -> StandardRef:
    """Give the entry with that key. Raises `KeyError` for one that is not in the table."""
    return _BY_KEY[key]
