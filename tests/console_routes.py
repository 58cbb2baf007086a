"""Where requests to the console's origin go: cases for the laptop's front and for CloudFront's function alike."""

FILES = frozenset({"/index.html", "/404.html", "/config.json", "/views/app.js"})

PASSED_ON = [
    ("GET", "/api/jobs", "/api", "/jobs"),
    ("PUT", "/api/jobs/job-1", "/api", "/jobs/job-1"),
    ("POST", "/api/jobs/job-1/cancel", "/api", "/jobs/job-1/cancel"),
    ("DELETE", "/api/jobs/a%20b", "/api", "/jobs/a%20b"),
    ("GET", "/api/", "/api", "/"),
    ("GET", "/live", "/live", "/"),
    ("POST", "/sign-in", "/sign-in", "/"),
    ("POST", "/files/", "/files", "/"),
    ("GET", "/files/jobs/owner/job-1/preview.jpg", "/files", "/jobs/owner/job-1/preview.jpg"),
    ("HEAD", "/files/jobs/owner/a..b/..hidden", "/files", "/jobs/owner/a..b/..hidden"),
]
"""Method, path, its route, and the path behind that."""

SERVED = [
    ("GET", "/", "/index.html"),
    ("HEAD", "/", "/index.html"),
    ("GET", "/index.html", "/index.html"),
    ("GET", "/views/app.js", "/views/app.js"),
    ("GET", "/config.json", "/config.json"),
]
"""Method, path, and the file."""

MISSING = [
    ("GET", "/nothing"),
    ("GET", "/views"),
    ("GET", "/views/"),
    ("GET", "/Index.html"),
    ("GET", "//index.html"),
    ("GET", "/vendor/checksums.json"),
    ("GET", "/api"),
    ("GET", "/apis/jobs"),
    ("GET", "/files"),
    ("GET", "/live/"),
    ("POST", "/sign-in/"),
    ("GET", "/../app.py"),
    ("GET", "/views/../../app.py"),
    ("GET", "/%2e%2e/app.py"),
    ("GET", "/views/%2E./%2e%2e/app.py"),
    ("GET", "/..%5capp.py"),
    ("GET", "/..\\app.py"),
    ("GET", "/api/../index.html"),
    ("GET", "/files/../../etc/passwd"),
    ("GET", "/files/%2e%2e/other-bucket/key"),
    ("GET", "/views/app.js%00.html"),
]

REFUSED = [
    ("POST", "/live", "GET"),
    ("GET", "/sign-in", "POST"),
    ("PUT", "/files/key", "GET, HEAD, POST"),
    ("DELETE", "/files/key", "GET, HEAD, POST"),
    ("POST", "/", "GET, HEAD"),
    ("DELETE", "/index.html", "GET, HEAD"),
]
"""Method, path, and the methods that the path has."""
