"""All claims by id, in the notebook's order, then common advice."""

from bnlab.claims.catalog.advantages import ADVANTAGES
from bnlab.claims.catalog.disadvantages import DISADVANTAGES
from bnlab.claims.catalog.observations import OBSERVATIONS
from bnlab.claims.catalog.practice import PRACTICE
from bnlab.claims.catalog.usage import USAGE
from bnlab.claims.model import Claim

CLAIMS: dict[str, Claim] = {
    claim.id: claim for claim in (*OBSERVATIONS, *ADVANTAGES, *DISADVANTAGES, *USAGE, *PRACTICE)
}
