"""What an operator configures."""

from riskd.settings.feeds import FilesFeed as FilesFeed
from riskd.settings.feeds import ReplayFeed as ReplayFeed
from riskd.settings.feeds import YahooFeed as YahooFeed
from riskd.settings.file import load_settings as load_settings
from riskd.settings.hooks import Alertmanager as Alertmanager
from riskd.settings.hooks import Webhook as Webhook
from riskd.settings.portfolios import Group as Group
from riskd.settings.portfolios import Limit as Limit
from riskd.settings.portfolios import Portfolio as Portfolio
from riskd.settings.rates import Rate as Rate
from riskd.settings.sections import Allocation as Allocation
from riskd.settings.sections import Allocator as Allocator
from riskd.settings.sections import Data as Data
from riskd.settings.sections import Model as Model
from riskd.settings.sections import Mqtt as Mqtt
from riskd.settings.sections import Service as Service
from riskd.settings.sections import Web as Web
from riskd.settings.symbols import Symbol as Symbol
from riskd.settings.systems import Rival as Rival
from riskd.settings.systems import Scenarios as Scenarios
from riskd.settings.whole import Settings as Settings
