"""What an operator configures."""

from riskd.settings.file import load_settings as load_settings
from riskd.settings.sections import Allocation as Allocation
from riskd.settings.sections import FilesFeed as FilesFeed
from riskd.settings.sections import Limit as Limit
from riskd.settings.sections import Model as Model
from riskd.settings.sections import Mqtt as Mqtt
from riskd.settings.sections import Portfolio as Portfolio
from riskd.settings.sections import ReplayFeed as ReplayFeed
from riskd.settings.sections import Scenarios as Scenarios
from riskd.settings.sections import Service as Service
from riskd.settings.sections import Settings as Settings
from riskd.settings.sections import Web as Web
from riskd.settings.sections import YahooFeed as YahooFeed
