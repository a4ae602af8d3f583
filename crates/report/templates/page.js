// Works on the page as it stands: without this script the page is whole.
