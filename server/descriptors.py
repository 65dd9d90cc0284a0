"""How many connections the operating system lets this process have open."""

import logging

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

#: Descriptors for what is no connection: the log's files, those who are being turned away, the system's figures.
RESERVED = 200


def affordable(connections: int) -> int:
    """As many of the wanted connections as this process may have; its limit is raised for them if it can be."""
    if resource is None:
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + RESERVED
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (OSError, ValueError) as error:
            logger.debug("the limit of open files stays: %s", error)
    if soft == resource.RLIM_INFINITY or soft >= connections + RESERVED:
        return connections
    possible = max(1, soft - RESERVED)
    logger.warning(
        "at most %d connections instead of %d: this process may have %d files open (ulimit -n)",
        possible,
        connections,
        soft,
    )
    return possible
