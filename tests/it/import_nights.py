"""Computes tests/it/import_nights.csv: when the night of an import begins that is confirmed at an instant.

The rule is tried out minute by minute, so that nothing of it hangs on how any library resolves local times: the first
instant at which clocks in the zone show 01:00 or later of the day after the one that they show now.

    python3 tests/it/import_nights.py > tests/it/import_nights.csv
"""

from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

CASES = [
    # No clock change far and wide.
    ("Asia/Seoul", "2026-11-28T04:00"), ("Asia/Seoul", "2026-11-28T14:59"), ("Asia/Seoul", "2026-11-28T15:00"),
    ("Asia/Seoul", "2026-11-28T15:59"), ("Asia/Seoul", "2026-11-28T16:00"), ("Asia/Seoul", "2026-12-31T14:59"),
    ("Asia/Seoul", "2026-12-31T15:00"), ("Asia/Seoul", "2028-02-28T03:00"), ("Asia/Seoul", "2027-02-28T03:00"),
    ("Asia/Tokyo", "2026-06-30T23:30"), ("Asia/Kolkata", "2026-06-30T18:29"), ("Asia/Kolkata", "2026-06-30T18:30"),
    ("Asia/Kathmandu", "2026-06-30T18:14"), ("Asia/Kathmandu", "2026-06-30T18:15"), ("Pacific/Kiritimati", "2026-06-30T09:59"),
    ("Pacific/Kiritimati", "2026-06-30T10:00"), ("Etc/GMT+12", "2026-06-30T11:59"), ("Etc/GMT+12", "2026-06-30T12:00"),
    ("UTC", "2026-11-28T23:59"), ("UTC", "2026-11-29T00:00"), ("Pacific/Marquesas", "2026-06-30T09:30"),
    # 01:00 is skipped.
    ("Europe/London", "2026-03-28T12:00"), ("Europe/Lisbon", "2027-03-27T12:00"), ("Atlantic/Azores", "2026-03-28T12:00"),
    ("Atlantic/Azores", "2026-03-28T00:30"), ("Europe/Dublin", "2026-03-28T23:59"),
    # 01:00 comes twice.
    ("America/New_York", "2026-10-31T12:00"), ("America/New_York", "2026-10-31T03:59"), ("America/New_York", "2026-10-31T04:00"),
    ("America/Los_Angeles", "2026-10-31T20:00"), ("Europe/London", "2026-10-24T12:00"), ("America/St_Johns", "2026-10-31T12:00"),
    ("America/Chicago", "2027-11-06T12:00"),
    # The change is near, and 01:00 is neither.
    ("Europe/Berlin", "2026-03-28T12:00"), ("Europe/Berlin", "2026-10-24T12:00"), ("America/New_York", "2026-03-07T12:00"),
    ("Australia/Sydney", "2026-10-03T12:00"), ("Australia/Sydney", "2026-04-04T12:00"), ("Australia/Lord_Howe", "2026-10-03T12:00"),
    ("Australia/Lord_Howe", "2026-04-04T12:00"), ("Pacific/Auckland", "2026-09-26T10:00"), ("Asia/Beirut", "2026-03-28T12:00"),
    ("America/Havana", "2026-03-07T12:00"), ("America/Havana", "2026-10-31T12:00"), ("Africa/Cairo", "2026-04-23T12:00"),
    ("America/Santiago", "2026-09-05T12:00"), ("America/Santiago", "2026-04-04T12:00"), ("Africa/Casablanca", "2026-02-14T12:00"),
    # Confirmed in the hour that comes twice, and on a day that is no 24 hours long.
    ("America/New_York", "2026-11-01T05:30"), ("America/New_York", "2026-11-01T06:30"), ("Europe/London", "2026-03-29T00:59"),
    ("Europe/London", "2026-03-29T01:00"), ("Australia/Lord_Howe", "2026-04-04T14:59"),
    # A day that a zone has skipped, and one that it had twice as a date.
    ("Pacific/Apia", "2011-12-29T12:00"), ("Pacific/Apia", "2011-12-30T09:59"), ("Pacific/Apia", "2011-12-30T10:00"),
    ("Pacific/Kwajalein", "1993-08-20T12:00"),
]


def night(zone: ZoneInfo, now: datetime) -> datetime:
    wanted = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(1))
    at = now.replace(second=0, microsecond=0)
    while at.astimezone(zone).replace(tzinfo=None) < wanted:
        at += timedelta(minutes=1)
    return at


print("zone,confirmed,begins")
for name, text in CASES:
    now = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    begins = night(ZoneInfo(name), now)
    print(f"{name},{now:%Y-%m-%dT%H:%M:%SZ},{begins:%Y-%m-%dT%H:%M:%SZ}")
