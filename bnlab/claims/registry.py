"""All claims, in the notebook's order."""

from bnlab.claims.advantages import ADVANTAGES
from bnlab.claims.claim import Claim
from bnlab.claims.disadvantages import DISADVANTAGES
from bnlab.claims.observations import OBSERVATIONS
from bnlab.claims.when import WHEN

CLAIMS: dict[str, Claim] = {claim.id: claim for claim in (*OBSERVATIONS, *ADVANTAGES, *DISADVANTAGES, *WHEN)}
