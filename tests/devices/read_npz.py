"""What is in an npz file, as JSON: {key: {"dtype": …, "values": …}}, by numpy itself."""

import json
import sys

import numpy

with numpy.load(sys.argv[1], allow_pickle=False) as arrays:
    print(json.dumps({key: {"dtype": str(arrays[key].dtype), "values": arrays[key].tolist()} for key in arrays}))
