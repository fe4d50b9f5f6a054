"""Airflow 2: a night of lockstep; copy this file to the DAGs folder and set LOCKSTEP_HOME.

A regression (exit code 5) and failed rows (4) fail the task at once; what a repetition may mend (3,
70, a killed process) is tried again and goes on where it stopped. A night measures the code and the
checkpoint as they are when it runs, so nights that Airflow was down for are not caught up one by one
(catchup=False): the next night stands in for them and says so. Where each date has a checkpoint of
its own, add "nightly.catch_up=7" to the command.
"""

import os
import subprocess
from datetime import datetime, timedelta

from airflow.decorators import dag, task
from airflow.exceptions import AirflowFailException

HOME = os.environ.get("LOCKSTEP_HOME", "/opt/lockstep")
FINAL = {
    2: "a mistake in the command, or another run at work",
    4: "rows failed; the rest is written",
    5: "a regression",
}


@dag(
    dag_id="lockstep_nightly",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=["lockstep"],
)
def lockstep_nightly():
    @task(execution_timeout=timedelta(hours=10))
    def night(day=None):
        command = [
            f"{HOME}/submit/nightly.sh",
            f"nightly.date={day}",
            "hardware=h200_1x",
            "model=dream",
            "dataset=humanevalplus",
        ]
        status = subprocess.run(command, check=False).returncode
        if status in FINAL:
            raise AirflowFailException(f"lockstep nightly: exit code {status}, {FINAL[status]}")
        if status != 0:
            raise RuntimeError(f"lockstep nightly: exit code {status}")

    # The day on which the night runs: the end of Airflow's interval. A retry keeps it.
    night("{{ data_interval_end | ds }}")


lockstep_nightly()
