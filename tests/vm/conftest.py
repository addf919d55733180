"""What is under inside/ runs in the virtual machine only."""

import os

collect_ignore = [] if os.environ.get("ARGOSY_IN_VM") else ["inside"]
