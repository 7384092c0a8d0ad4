# A process that makes one call: what starting costs.
import os

import requests

requests.get(os.environ["BENCH_URL"] + "/tiny").raise_for_status()
