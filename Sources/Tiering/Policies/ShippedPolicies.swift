// config/tiers.yaml as isotherm was built with it: where a command is run in another folder, its presets hold too.

extension PolicyFile {
    /// Byte for byte the file, at its margin, so that the two can be compared (`PolicyTests`).
    package static let shipped = """
# When orders move: from hot (transactions) to warm (the search index) to cold (the archive).
#
# A policy is a list of tiers with the ages, in days since the order was placed, at which an order belongs to them. The first begins at 0, each begins where
# the one before ends, the last has no end: a policy with a gap or an overlap is refused, with the line at fault. Whatever its age, an order that is not in a final
# state (delivered, part_returned, returned, cancelled, expired), or has a return or payment in progress, stays hot.
# Orders go to colder tiers only: what lies colder than a policy says, as after it was made wider, stays there until the order changes; `plan` and `status` tell how many.
#
# A policy may treat classes of orders differently: `orders` is required and holds for all without a class of their own;
# `cancelled_orders` are cancelled and expired ones, `returned_orders` part_returned and returned ones.
#
#     isotherm tier plan --policy case-study        what would move, and how many bytes; nothing is touched
#
# This text is also in the binary (Sources/Tiering/Policies/ShippedPolicies.swift): commands take it where no file is named and ./config/tiers.yaml is not there.

# Which of the policies below the commands use.
policy: default

policies:
  default:
    orders:
      - {tier: hot, from: 0, to: 90}
      - {tier: warm, from: 90, to: 730}
      - {tier: cold, from: 730}

  # Hot for 3 months, warm for 6. What the case study leaves to nobody, 6 months to 2 years, is cold here.
  case-study:
    orders:
      - {tier: hot, from: 0, to: 90}
      - {tier: warm, from: 90, to: 180}
      - {tier: cold, from: 180}

# The mover's pace.
mover:
  # Orders in one batch: one document set on the object store, one flip of the directory. 1 to 2,000.
  batch_orders: 500
  # To the archive: each batch is one commit of its table, which writes the files of the months it touches anew. 1 to 10,000.
  archive_batch_orders: 10000
  # 0: as fast as it goes. Shoppers come first on a small machine.
  orders_per_second_max: 0
  # How long staged batches are kept: a lost warm tier is rebuilt from its snapshot and these.
  staging_days: 7

# Where the archive's table is made: `default` is the folder cold of the data folder; else a folder, or s3://bucket/prefix?endpoint=https://... (docs/object-store.md; keys
# come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment).
archive:
  location: default
  # File groups a month of a new table: one is enough up to some 200,000 orders a month.
  buckets: 1
  # Commits that time travel reaches back, and whose files are kept.
  kept_commits: 10

# Where batches are staged; `default` is the folder staging of the data folder.
staging:
  location: default

# A server's own mover, which moves what the chosen policy says: seconds between its runs, 0 for none. The server reads this file when its configuration names it
# (shop.tiers in config/isotherm.yaml).
schedule:
  every_seconds: 0

# What `isotherm tier plan` reckons cost by: writes and listings by thousand_puts, reads by thousand_gets. These are what a large provider listed for its standard class;
# put your own here.
prices:
  currency: USD
  gigabyte_month: 0.023
  thousand_puts: 0.005
  thousand_gets: 0.0004

"""
}
