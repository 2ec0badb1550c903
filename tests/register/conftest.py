"""Fleets of two kinds, in memory and in Redis; that also as a cluster, which refuses a script over two slots."""

import time
from collections.abc import Iterator

import pytest

from tests.kit.ports import free_port
from tests.kit.redis import Fleet, RedisServer, nodes_in_memory, nodes_of, redis_server
from tests.kit.story import WITHIN


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisServer]:
    """One for all the tests of a file that do not hurt it; other files count the processes that are left."""
    with redis_server() as server:
        yield server


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[RedisServer]:
    """A cluster of one."""
    with redis_server("--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        server.says("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        deadline = time.monotonic() + WITHIN
        while not server.says("SET", "a", "1").startswith(b"+OK"):
            assert time.monotonic() < deadline, "the cluster does not come"
            time.sleep(0.05)
        yield server


@pytest.fixture
def redis(shared_redis: RedisServer) -> RedisServer:
    """A Redis without data."""
    shared_redis.says("FLUSHALL")
    shared_redis.says("SCRIPT", "FLUSH")
    return shared_redis


@pytest.fixture(params=["memory", "redis", "cluster"])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """Makes the nodes of a fleet, by their names."""
    if request.param == "memory":
        return nodes_in_memory
    server: RedisServer = request.getfixturevalue("redis" if request.param == "redis" else "shared_cluster")
    server.says("FLUSHALL")
    return lambda: nodes_of(server)
