"""The challengers by name, one file each: estimators that share nothing with the network but prices."""

from collections.abc import Mapping

from riskd.core.challengers.ewma_t import ewma_t
from riskd.core.challengers.garch_t_copula import garch_t_copula
from riskd.core.challengers.gjr_fhs import gjr_fhs
from riskd.core.challengers.historical import historical
from riskd.core.challengers.past import Challenger

CHALLENGERS: Mapping[str, Challenger] = {
    "gjr-fhs": gjr_fhs,
    "ewma-t": ewma_t,
    "historical": historical,
    "garch-t-copula": garch_t_copula,
}
