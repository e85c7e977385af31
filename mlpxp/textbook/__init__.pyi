from . import approximation as approximation
from . import figures as figures
from . import lesson as lesson
from . import separability as separability
from . import teaching as teaching
from .figures import (
    plot_approximation as plot_approximation,
)
from .figures import (
    plot_convexity as plot_convexity,
)
from .figures import (
    plot_depth_against_width as plot_depth_against_width,
)
from .figures import (
    plot_dimension as plot_dimension,
)
from .figures import (
    plot_error_against_width as plot_error_against_width,
)
from .figures import (
    plot_error_signals as plot_error_signals,
)
from .figures import (
    plot_half_planes as plot_half_planes,
)
from .figures import (
    plot_interpolant as plot_interpolant,
)
from .figures import (
    plot_perceptron as plot_perceptron,
)
from .figures import (
    plot_polynomial_failure as plot_polynomial_failure,
)
from .figures import (
    plot_saturation as plot_saturation,
)
from .figures import (
    plot_separation as plot_separation,
)
from .figures import (
    plot_swap as plot_swap,
)
