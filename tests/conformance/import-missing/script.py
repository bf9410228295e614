"before"
import missing
